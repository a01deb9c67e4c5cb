//! The generator's own promises.

use retake_corpus::{Kind, Options};

use crate::found::{files, hunt};

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let options = Options::new(4, 2_000).with_stories(2);
    let (one, two) = (files(&options), files(&options));
    assert!(one.logs == two.logs);
    assert_eq!(one.told, two.told);
    let other = files(&Options::new(5, 2_000).with_stories(2));
    assert!(one.logs.iter().zip(&other.logs).all(|(a, b)| a != b));
}

#[test]
fn it_is_as_large_as_was_asked_for_and_has_the_repeats_and_damage() {
    let mut options = Options::new(6, 20_000);
    options.repeats = 0.44;
    options.damaged = 500;
    let files = files(&options);
    let [rows, ..] = files.told.rows;
    let own = rows - files.told.repeated[0];
    assert!((19_000..21_000).contains(&own), "{own}");
    let part = files.told.repeated[0] as f64 / rows as f64;
    assert!((0.42..0.46).contains(&part), "{part}");
    assert!(
        (20..70).contains(&files.told.damaged[0]),
        "{}",
        files.told.damaged[0]
    );
    let bytes = files.logs[0].len() as f64 / rows as f64;
    assert!((1_200.0..1_650.0).contains(&bytes), "{bytes}");
}

#[test]
fn readers_count_what_was_written() {
    let options = Options::new(7, 4_000).with_stories(3);
    let files = files(&options);
    let report = hunt(&files, &options, &[]);
    for (number, name) in crate::found::NAMES.iter().enumerate() {
        let input = report
            .imported
            .inputs
            .iter()
            .find(|input| input.path == *name)
            .unwrap();
        assert_eq!(input.counts.read, files.told.rows[number], "{name}");
    }
}

#[test]
fn the_truth_stands_in_the_files() {
    let mut options = Options::new(8, 3_000);
    options.stories = Kind::ALL.to_vec();
    options.users = 40;
    let files = files(&options);
    let text: String = files
        .logs
        .iter()
        .map(|log| String::from_utf8_lossy(log))
        .collect();
    assert!(files.told.truths.len() >= Kind::ALL.len());
    for truth in &files.told.truths {
        assert!(!truth.first.is_empty(), "{truth:?}");
        for id in truth.first.iter().chain(&truth.read).chain(&truth.sent) {
            assert!(text.contains(id.as_str()), "{:?} {id}", truth.kind);
        }
    }
}
