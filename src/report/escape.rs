//! Text inside other languages.

use std::borrow::Cow;

/// Text inside XML, between tags or in a quoted attribute.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c => out.push(c),
        }
    }
    out
}

/// Text without control characters, which XML and HTML cannot hold.
pub(super) fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Text on a terminal, of any number of lines. What could move the cursor, hide text or turn its
/// direction is written as an escape; `coloured` text may have colours, of ours or of anyone's.
pub fn printable(text: &str, coloured: bool) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = colour(rest).filter(|_| coloured).unwrap_or(c.len_utf8());
        if length == c.len_utf8() && is_unprintable(c) {
            out.extend(c.escape_unicode());
        } else {
            out += &rest[..length];
        }
        rest = &rest[length..];
    }
    Cow::Owned(out)
}

fn is_unprintable(c: char) -> bool {
    // Marks that turn the direction of what follows: Unicode's "Trojan source" characters.
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && c != '\n' && c != '\t')
}

/// Length of the colour (`ESC [ … m`) that a text begins with.
fn colour(text: &str) -> Option<usize> {
    let codes = text.strip_prefix("\x1b[")?;
    let end = codes.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    codes[end..].starts_with('m').then_some("\x1b[".len() + end + 1)
}

/// Text in one line for people: [`printable`], and colours and breaks are none of the user's business.
pub(super) fn line(text: &str) -> String {
    let one = text.replace(['\n', '\r', '\t'], " ").replace('\x1b', "\u{fffd}");
    printable(&one, false).into_owned()
}

/// Text in Markdown, in a paragraph or a table's cell.
pub(super) fn markdown(text: &str) -> String {
    let text = line(text);
    let mut out = String::with_capacity(text.len());
    for (index, c) in text.char_indices() {
        match c {
            '&' => out += "&amp;",
            '\\' | '|' | '<' | '>' | '*' | '_' | '[' | ']' | '#' | '~' => out.extend(['\\', c]),
            '-' | '+' if index == 0 => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Text in a cell of a spreadsheet. What begins with `=`, `+`, `-`, `@`, a tab or a carriage return
/// would run as a formula: an apostrophe before it says that it is text
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
pub(super) fn csv(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("{}{text}", if formula { "'" } else { "" }).replace(is_unprintable, " ")
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
