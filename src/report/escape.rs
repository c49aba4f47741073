//! Text inside other languages.

/// Text inside XML or HTML, between tags or in a quoted attribute.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A field of a CSV file (RFC 4180).
pub(super) fn csv(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Text in a cell of a LaTeX tabular, for pdflatex with its defaults: UTF-8 input, OT1 fonts.
pub(super) fn latex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out += "\\textbackslash{}",
            '~' => out += "\\textasciitilde{}",
            '^' => out += "\\textasciicircum{}",
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            // OT1's fonts hold other signs in these places.
            '<' | '>' | '|' => out.extend(['$', c, '$']),
            // They would be read as an argument of the row's end before them.
            '[' | '*' => out.extend(['{', c, '}']),
            c if c.is_control() || c.is_whitespace() => out.push(' '),
            c if c.is_ascii() || ACCENTED.contains(c) => out.push(c),
            c => match COMMANDS.iter().find(|(sign, _)| *sign == c) {
                Some((_, command)) => out += command,
                // Nothing else has a meaning there; a name is better than a page that does not compile.
                None => out += &format!("\\texttt{{U+{:04X}}}", u32::from(c)),
            },
        }
    }
    out
}

/// Letters that LaTeX composes of a letter and an accent, or has as they are.
const ACCENTED: &str = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿĀāĂăĆćĈĉČčĎďĒēĔĕĚěĞğĪīŁłŃńŇňŌōŐőŒœ\
                        ŔŕŘřŚśŞşŠšŢţŤťŪūŮůŰűŹźŻżŽž";

/// Signs and their commands; `LaTeX` itself gives none of them a meaning.
const COMMANDS: &[(char, &str)] = &[
    ('±', "$\\pm$"),
    ('−', "$-$"),
    ('×', "$\\times$"),
    ('÷', "$\\div$"),
    ('·', "$\\cdot$"),
    ('≤', "$\\leq$"),
    ('≥', "$\\geq$"),
    ('≠', "$\\neq$"),
    ('≈', "$\\approx$"),
    ('≡', "$\\equiv$"),
    ('∼', "$\\sim$"),
    ('∝', "$\\propto$"),
    ('∞', "$\\infty$"),
    ('∈', "$\\in$"),
    ('∉', "$\\notin$"),
    ('⊂', "$\\subset$"),
    ('⊆', "$\\subseteq$"),
    ('∪', "$\\cup$"),
    ('∩', "$\\cap$"),
    ('∀', "$\\forall$"),
    ('∃', "$\\exists$"),
    ('∑', "$\\sum$"),
    ('∏', "$\\prod$"),
    ('√', "$\\surd$"),
    ('∂', "$\\partial$"),
    ('∇', "$\\nabla$"),
    ('∫', "$\\int$"),
    ('∅', "$\\emptyset$"),
    ('‖', "$\\|$"),
    ('→', "$\\to$"),
    ('←', "$\\leftarrow$"),
    ('↔', "$\\leftrightarrow$"),
    ('↦', "$\\mapsto$"),
    ('⇒', "$\\Rightarrow$"),
    ('⇐', "$\\Leftarrow$"),
    ('⇔', "$\\Leftrightarrow$"),
    ('↑', "$\\uparrow$"),
    ('↓', "$\\downarrow$"),
    ('°', "$^\\circ$"),
    ('†', "$^\\dagger$"),
    ('‡', "$^\\ddagger$"),
    ('–', "--"),
    ('—', "---"),
    ('…', "\\ldots{}"),
    ('‘', "`"),
    ('’', "'"),
    ('“', "``"),
    ('”', "''"),
    ('§', "\\S{}"),
    ('¶', "\\P{}"),
    ('©', "\\copyright{}"),
    ('£', "\\pounds{}"),
    ('•', "\\textbullet{}"),
    ('«', "$\\ll$"),
    ('»', "$\\gg$"),
    ('⁰', "$^0$"),
    ('¹', "$^1$"),
    ('²', "$^2$"),
    ('³', "$^3$"),
    ('⁴', "$^4$"),
    ('⁵', "$^5$"),
    ('⁶', "$^6$"),
    ('⁷', "$^7$"),
    ('⁸', "$^8$"),
    ('⁹', "$^9$"),
    ('₀', "$_0$"),
    ('₁', "$_1$"),
    ('₂', "$_2$"),
    ('₃', "$_3$"),
    ('₄', "$_4$"),
    ('₅', "$_5$"),
    ('₆', "$_6$"),
    ('₇', "$_7$"),
    ('₈', "$_8$"),
    ('₉', "$_9$"),
    ('½', "$1/2$"),
    ('¼', "$1/4$"),
    ('¾', "$3/4$"),
    ('α', "$\\alpha$"),
    ('β', "$\\beta$"),
    ('γ', "$\\gamma$"),
    ('δ', "$\\delta$"),
    ('ε', "$\\varepsilon$"),
    ('ζ', "$\\zeta$"),
    ('η', "$\\eta$"),
    ('θ', "$\\theta$"),
    ('ι', "$\\iota$"),
    ('κ', "$\\kappa$"),
    ('λ', "$\\lambda$"),
    ('μ', "$\\mu$"),
    ('ν', "$\\nu$"),
    ('ξ', "$\\xi$"),
    ('ο', "$o$"),
    ('π', "$\\pi$"),
    ('ρ', "$\\rho$"),
    ('ς', "$\\varsigma$"),
    ('σ', "$\\sigma$"),
    ('τ', "$\\tau$"),
    ('υ', "$\\upsilon$"),
    ('φ', "$\\varphi$"),
    ('χ', "$\\chi$"),
    ('ψ', "$\\psi$"),
    ('ω', "$\\omega$"),
    ('ϕ', "$\\phi$"),
    ('ϵ', "$\\epsilon$"),
    ('ϑ', "$\\vartheta$"),
    ('ϱ', "$\\varrho$"),
    ('ϖ', "$\\varpi$"),
    ('µ', "$\\mu$"),
    ('ℓ', "$\\ell$"),
    ('Α', "A"),
    ('Β', "B"),
    ('Γ', "$\\Gamma$"),
    ('Δ', "$\\Delta$"),
    ('Ε', "E"),
    ('Ζ', "Z"),
    ('Η', "H"),
    ('Θ', "$\\Theta$"),
    ('Ι', "I"),
    ('Κ', "K"),
    ('Λ', "$\\Lambda$"),
    ('Μ', "M"),
    ('Ν', "N"),
    ('Ξ', "$\\Xi$"),
    ('Ο', "O"),
    ('Π', "$\\Pi$"),
    ('Ρ', "P"),
    ('Σ', "$\\Sigma$"),
    ('Τ', "T"),
    ('Υ', "$\\Upsilon$"),
    ('Φ', "$\\Phi$"),
    ('Χ', "X"),
    ('Ψ', "$\\Psi$"),
    ('Ω', "$\\Omega$"),
    ('∆', "$\\Delta$"),
];
