//! A file system that refuses gives a clear error and the documented code, and leaves nothing in the
//! way. What needs a mount of its own runs in a user namespace, and says so where it may not.

use crate::workspace::{Output, PIPELINE, Workspace};
use std::{fs, os::unix::fs::PermissionsExt, process::Command};

/// Runs a shell script in the workspace in which `$TAKD` is the binary; stdout and stderr together.
fn shell(workspace: &Workspace, program: &[&str], script: &str) -> Output {
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).args(["sh", "-c", &format!("exec 2>&1\n{script}")]);
    command.current_dir(workspace.path("")).env("TAKD", env!("CARGO_BIN_EXE_takd"));
    command.env_remove("TAKD_CACHE").env("NO_COLOR", "1").env("TMPDIR", "/nowhere");
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    Output { code: output.status.code().unwrap_or(-1), stdout, stderr: String::new() }
}

const NAMESPACE: [&str; 2] = ["unshare", "-rm"];

/// Whether this system lets us mount in a namespace of our own.
fn may_mount(workspace: &Workspace) -> bool {
    fs::create_dir_all(workspace.path("disk")).unwrap();
    let mut mount = Command::new("unshare");
    mount.args(["-rm", "mount", "-t", "tmpfs", "none"]).arg(workspace.path("disk"));
    let may = mount.output().is_ok_and(|output| output.status.success());
    if !may {
        println!("skipped: mounting in a user namespace is not allowed here");
    }
    may
}

#[test]
fn a_full_disk_is_an_error_and_nothing_half_written_stays() {
    let workspace = Workspace::new();
    if !may_mount(&workspace) {
        return;
    }
    workspace.write("tiny.toml", PIPELINE.replace("[20, 31]", "[20]"));
    workspace.run(&["tiny.toml", "--cache", "whole", "--set", "recipe.short.epochs=6"]);
    // Full at the locks, at the first entry, later; out of room and out of inodes.
    for options in ["size=4k", "size=40k", "size=120k", "size=10m,nr_inodes=60"] {
        let script = format!(
            "mount -t tmpfs -o {options} none disk || exit 99
            run() {{ $TAKD run tiny.toml --cache disk/cache --set recipe.short.epochs=6 --checkpoint-every 0; }}
            run > first; echo \"first $?\"; cat first
            mount -o remount,size=10m,nr_inodes=10000 disk || exit 98
            $TAKD cache verify --cache disk/cache || exit 97
            run > second || exit 96
            diff -r -x 'manifest*' disk/cache/entries whole/entries || exit 95
            test -z \"$(ls disk/cache/staging disk/cache/checkpoints | grep -v :)\" || exit 94"
        );
        let output = shell(&workspace, &NAMESPACE, &script);
        assert_eq!(output.code, 0, "{options}: {}", output.stdout);
        let told = &output.stdout;
        assert!(told.contains("No space left on device"), "{options}: {told}");
        assert!(told.contains("first 1") || told.contains("first 4"), "{options}: {told}");
        assert!(!told.contains("panicked"), "{options}: {told}");
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_costs_a_line() {
    let workspace = Workspace::new();
    if !may_mount(&workspace) {
        return;
    }
    let run = "run tiny.toml nokd@20 --set recipe.short.epochs=40 --checkpoint-every 0";
    workspace.ok(&run.split(' ').chain(["--cache", "whole"]).collect::<Vec<_>>());
    let script = format!(
        "mkdir -p cache/checkpoints && mount -t tmpfs -o size=4k none cache/checkpoints || exit 99
        $TAKD {run}; echo \"code $?\"; ls cache/checkpoints"
    );
    let output = shell(&workspace, &NAMESPACE, &script);
    let told = &output.stdout;
    assert_eq!(told.matches("no checkpoint: cannot write cache/checkpoints/").count(), 1, "{told}");
    assert!(
        told.contains("No space left on device (os error 28); the training continues without it"),
        "{told}"
    );
    assert!(told.ends_with("code 0\n"), "{told}");
    assert!(workspace.entry_files("cache") == workspace.entry_files("whole"));
}

#[test]
fn a_cache_on_a_read_only_mount_is_read_and_says_why_it_is_not_written() {
    let workspace = Workspace::new();
    if !may_mount(&workspace) {
        return;
    }
    workspace.run(&["tiny.toml"]);
    let script = "mount --bind cache cache && mount -o remount,ro,bind cache || exit 99
        for command in 'run tiny.toml' 'report tiny.toml' 'plan tiny.toml' 'cache list' \
            'cache verify' 'export tiny.toml teacher@20 -o out.safetensors' \
            'run tiny.toml --set recipe.short.epochs=1' 'cache gc tiny.toml'; do
            $TAKD $command > told 2>&1; echo \"$command: $?\"; grep -i 'read' told
        done; true";
    let output = shell(&workspace, &NAMESPACE, script);
    assert_eq!(output.code, 0, "{}", output.stdout);
    let told = &output.stdout;
    for line in [
        "run tiny.toml: 0\nnote: the cache can only be read: cannot write cache/locks/cache.lock: Read-only file system",
        "report tiny.toml: 0",
        "plan tiny.toml: 0",
        "cache list: 0",
        "cache verify: 0",
        "export tiny.toml teacher@20 -o out.safetensors: 0",
        "run tiny.toml --set recipe.short.epochs=1: 4\nerror: cannot write cache/locks/cache.lock: Read-only file system",
        "the cache can only be read, and 20 of the nodes are not in it",
        "cache gc tiny.toml: 4\n",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[test]
fn a_cache_without_write_permission_is_the_same() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml"]);
    let mode = |path: &str, mode| {
        fs::set_permissions(workspace.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    // Root writes everywhere: it becomes nobody.
    let root = shell(&workspace, &["env"], "id -u").stdout.trim() == "0";
    let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let user: &[&str] = if root { &nobody } else { &["env"] };
    mode("", 0o755);
    if shell(&workspace, user, "test -x $TAKD && test -r tiny.toml").code != 0 {
        println!("skipped: nobody may not run the binary where it lies");
        return;
    }
    for folder in ["cache", "cache/locks", "cache/entries"] {
        mode(folder, 0o555);
    }
    mode("cache/locks/cache.lock", 0o444);
    let output = shell(&workspace, user, "$TAKD run tiny.toml");
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(output.stdout.contains("the cache can only be read"), "{}", output.stdout);
    let output = shell(&workspace, user, "$TAKD run tiny.toml --set recipe.short.epochs=1");
    assert_eq!(output.code, 4, "{}", output.stdout);
    assert!(output.stdout.contains("Permission denied"), "{}", output.stdout);
    // An entry that may not be read is no damage: it is not set aside, and the user is told.
    mode("cache/entries", 0o000);
    let output = shell(&workspace, user, "$TAKD run tiny.toml");
    assert_eq!(output.code, 4, "{}", output.stdout);
    assert!(output.stdout.contains("cannot read cache/entries"), "{}", output.stdout);
    for folder in ["cache/entries", "cache/locks", "cache"] {
        mode(folder, 0o755);
    }
    assert_eq!(workspace.trained(&["tiny.toml"]), [""; 0]);
}

#[test]
fn a_limit_of_open_files_is_an_error_and_no_harm() {
    let workspace = Workspace::new();
    workspace.run(&["tiny.toml", "--cache", "whole"]);
    let mut refused = 0;
    // Fewer do not even load the program.
    let loads = |limit: &u32| {
        let script = format!("ulimit -n {limit}; exec $TAKD --version");
        shell(&workspace, &["env"], &script).code == 0
    };
    let least = (3..12).find(loads).unwrap();
    for limit in (least..least + 5).chain([16]) {
        let script = format!("ulimit -n {limit}; exec $TAKD run tiny.toml --jobs 2");
        let output = shell(&workspace, &["env"], &script);
        let told = output.stdout;
        assert!(
            [0, 1, 3, 4].contains(&output.code) && !told.contains("panicked"),
            "{limit}: {told}"
        );
        if output.code != 0 {
            refused += 1;
            assert!(told.contains("Too many open files"), "{limit}: {told}");
        }
        assert_eq!(workspace.takd(&["cache", "verify"]).code, 0, "{limit}");
    }
    assert!(refused > 0);
    workspace.run(&["tiny.toml"]);
    assert!(workspace.entry_files("cache") == workspace.entry_files("whole"));
}

#[test]
fn any_path_will_do() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let workspace = Workspace::new();
    fs::create_dir(workspace.path("мои опыты")).unwrap();
    fs::rename(workspace.path("bars"), workspace.path("мои опыты/bars")).unwrap();
    fs::rename(workspace.path("tiny.toml"), workspace.path("мои опыты/küken 1.toml")).unwrap();
    let file = "мои опыты/küken 1.toml";
    let cache = "päth with spaces/кэш 'quoted'";
    workspace.run(&[file, "nokd@20", "--cache", cache]);
    assert_eq!(workspace.ok(&["cache", "verify", "--cache", cache]), "1 whole, 0 damaged\n");
    // Not even text.
    let mut command = workspace.command(&["run", file, "nokd@20", "--cache"]);
    let output = command.arg(OsStr::from_bytes(b"ca\xffche")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(workspace.path(OsStr::from_bytes(b"ca\xffche/entries")).is_dir());
}

/// An entry counts when its files, its folder and its name are on the disk.
#[test]
fn an_entry_is_synced_before_it_counts() {
    let workspace = Workspace::new();
    let calls = "trace=fsync,rename,renameat,renameat2";
    let strace = ["strace", "-f", "-y", "-o", "calls", "-e", calls];
    if !Command::new("strace").args(["-f", "true"]).output().is_ok_and(|o| o.status.success()) {
        println!("skipped: no strace, or it may not trace");
        return;
    }
    let output = shell(&workspace, &strace, "exec $TAKD run tiny.toml nokd@20 --jobs 1");
    assert_eq!(output.code, 0, "{}", output.stdout);
    let calls = fs::read_to_string(workspace.path("calls")).unwrap();
    let lines: Vec<&str> = calls.lines().collect();
    let place = |what: &dyn Fn(&str) -> bool| lines.iter().position(|line| what(line));
    let synced = |name: &str| {
        let end = format!("{name}>)");
        place(&|line| line.contains("fsync(") && line.contains("cache/") && line.contains(&end))
    };
    let renamed = place(&|line| line.contains("rename") && line.contains("cache/entries/"));
    let renamed = renamed.unwrap_or_else(|| panic!("{}", calls));
    let folder = place(&|line| {
        line.contains("fsync(")
            && line.contains("cache/staging/")
            && !line.contains("json")
            && !line.contains("manifest")
            && !line.contains("weights")
    });
    let before = ["weights.safetensors", "metrics.jsonl", "manifest.json", "manifest.blake3"];
    for place in before.map(synced).into_iter().chain([folder]) {
        assert!(place.is_some_and(|place| place < renamed), "{}", calls);
    }
    let after = lines[renamed..].iter().any(|line| line.contains("cache/entries>)"));
    assert!(after, "{}", calls);
}
