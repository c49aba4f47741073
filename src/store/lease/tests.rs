use super::*;

/// Two processes on one cache.
fn two(folder: &Path) -> [Arc<Leases>; 2] {
    fs::write(folder.join(MARK), r#"{"renewal": 0.1, "lapse": 0.4}"#).unwrap();
    [Leases::new(folder).unwrap(), Leases::new(folder).unwrap()]
}

fn take(leases: &Arc<Leases>) -> Option<Lease> {
    match leases.take("key", &Holder::this()).unwrap() {
        Taken::Ours(lease) => Some(lease),
        Taken::Theirs(_) => None,
    }
}

#[test]
fn one_of_two_has_a_lease_and_keeps_it_while_it_renews_it() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = two(folder.path());
    let lease = take(&one).unwrap();
    assert!(take(&one).is_none(), "nor does a second thread of the same process");
    for _ in 0..20 {
        assert!(take(&two).is_none() && two.is_held("key").unwrap());
        thread::sleep(Duration::from_millis(50));
        one.renew();
    }
    drop(lease);
    assert!(!two.is_held("key").unwrap() && take(&two).is_some());
    let lease = take(&one).unwrap();
    assert!(two.outlives("key", &Holder::this()).unwrap());
    drop(lease);
    assert!(!two.outlives("key", &Holder::this()).unwrap());
}

#[test]
fn one_that_is_not_renewed_lapses_by_the_clock_of_who_waits() {
    let folder = tempfile::tempdir().unwrap();
    let [_, two] = two(folder.path());
    let from = |place: &str, pid| Said {
        holder: Holder { pid, since: u64::MAX, ..Holder::this() },
        place: place.to_owned(),
        id: "another".to_owned(),
        beat: 3,
    };
    let path = folder.path().join("key.lease");
    let write = |said: &Said| fs::write(&path, serde_json::to_vec(said).unwrap()).unwrap();
    write(&from("elsewhere", 1));
    assert!(take(&two).is_none());
    thread::sleep(Duration::from_millis(500));
    let lease = take(&two).unwrap();
    // Whoever slept wakes up: its lease is another's, and it leaves it alone.
    drop(lease);
    // A process of this machine that is no more is dead at once.
    write(&from(&place(), u32::MAX));
    assert!(place().is_empty() || take(&two).is_some());
    // Half a lease, of a full disk or of a kill, lapses as well.
    fs::write(&path, "").unwrap();
    assert!(take(&two).is_none());
    thread::sleep(Duration::from_millis(500));
    assert!(take(&two).is_some());
}

#[test]
fn one_that_was_let_go_and_taken_again_has_not_been_unchanged_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = two(folder.path());
    let holder = Holder::this();
    let lease = one.take("key", &holder).unwrap();
    assert!(take(&two).is_none());
    drop(lease);
    thread::sleep(Duration::from_millis(500));
    let _lease = one.take("key", &holder).unwrap();
    assert!(take(&two).is_none());
}

#[test]
fn a_lease_that_was_taken_over_is_not_removed_by_who_had_it() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = two(folder.path());
    let lost = take(&one).unwrap();
    let bytes = fs::read(folder.path().join("key.lease")).unwrap();
    assert!(two.end("key", &bytes, &Holder::this()).unwrap());
    let found = take(&two).unwrap();
    one.renew();
    drop(lost);
    assert!(two.is_held("key").unwrap());
    drop(found);
    assert!(list(folder.path()).unwrap().iter().all(|name| name == MARK));
}

#[test]
fn of_many_threads_that_take_over_one_lease_one_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let [_, _] = two(folder.path());
    for _ in 0..20 {
        let path = folder.path().join("key.lease");
        let dead = Said {
            holder: Holder { pid: u32::MAX, ..Holder::this() },
            place: place(),
            id: "dead".to_owned(),
            beat: 0,
        };
        fs::write(&path, serde_json::to_vec(&dead).unwrap()).unwrap();
        let all: Vec<Arc<Leases>> = (0..8).map(|_| Leases::new(folder.path()).unwrap()).collect();
        let taken: Vec<Option<Lease>> = thread::scope(|scope| {
            let threads: Vec<_> = all.iter().map(|leases| scope.spawn(|| take(leases))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(taken.iter().flatten().count(), 1);
    }
}

#[test]
fn times_that_would_lapse_in_use_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for text in [r#"{"renewal": 10, "lapse": 20}"#, r#"{"laps": 3}"#, r#"{"renewal": 0}"#] {
        fs::write(folder.path().join(MARK), text).unwrap();
        assert!(Leases::new(folder.path()).is_err(), "{text}");
    }
}
