//! `takd --help`: one screen, commands in groups.

use clap::Command;

/// The commands as they come in a person's work.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Begin", &["init", "check", "data", "nets", "devices"]),
    ("Run", &["plan", "why", "run", "status"]),
    ("Results", &["report", "diff", "graph", "export", "predict"]),
    ("Upkeep", &["cache", "schema", "completions", "man"]),
];

/// What stands above and below the commands.
const HEAD: &str =
    "{about}\nUsage: {name} COMMAND …    (takd COMMAND --help says more, with an example)\n";
const FOOT: &str = "\nOptions: --cache DIR [env: TAKD_CACHE] [default: cache], --help, --version\n";

/// `command` with its help in groups. One that is in no group comes last.
pub(crate) fn grouped(command: Command) -> Command {
    let listed = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    let others: Vec<&str> =
        command.get_subcommands().map(Command::get_name).filter(|name| !listed(name)).collect();
    let mut text = HEAD.to_owned();
    for (title, names) in GROUPS.into_iter().chain([("More", others.as_slice())]) {
        for (index, name) in names.iter().enumerate() {
            let Some(found) = command.find_subcommand(name) else { continue };
            let title = if index == 0 { title } else { "" };
            let about = found.get_about().map(ToString::to_string).unwrap_or_default();
            text += &format!("\n{title:<9}{name:<13}{about}");
        }
    }
    text += &format!("\n{FOOT}{}", super::exit::HELP);
    command.help_template(text)
}
