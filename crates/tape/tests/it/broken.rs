//! A tape that is not whole, and a file that is there already.

use std::sync::Arc;

use bytes::Bytes;
use retake_tape::{Recorder, read};

use crate::world::{Known, Noon, profile, recorded};

async fn whole() -> (tempfile::TempDir, String) {
    let request = http::Request::get("https://graph.microsoft.com/v1.0/organization")
        .body(Bytes::new())
        .unwrap();
    recorded(request, http::Response::new(Bytes::from_static(b"{}"))).await
}

#[tokio::test]
async fn a_broken_tape_is_told_with_file_line_and_reason() {
    let (dir, text) = whole().await;
    let path = dir.path().join("tape.jsonl");
    let lines: Vec<&str> = text.lines().collect();
    for (broken, line, reason) in [
        (String::new(), 1, "the file is empty"),
        (
            text.replace("retake.tape/1", "retake.tape/9"),
            1,
            "the schema is",
        ),
        (
            format!("{}\n{}", lines[0], &lines[1][..40]),
            2,
            "the line is cut off",
        ),
        (
            format!("{}\n{}\n", lines[0], &lines[1][..40]),
            2,
            "EOF while parsing",
        ),
        (format!("{}\nnot JSON\n", text.trim_end()), 3, "expected"),
        (
            text.replace("\"status\":200", "\"status\":\"well\""),
            2,
            "invalid type",
        ),
        (
            text.replace("\"answer\"", "\"answers\""),
            2,
            "unknown field",
        ),
        (
            format!(
                "{}\n{{\"n\":1,\"at_ms\":0,\"took_ms\":0,\"request\":{{\"method\":\"GET\",\"origin\":\"\",\"url\":\"/\"}}}}\n",
                lines[0]
            ),
            2,
            "either an `answer` or a `failure`",
        ),
    ] {
        std::fs::write(&path, &broken).unwrap();
        let error = read(&path).unwrap_err().to_string();
        let expected = format!("{}: line {line}: ", path.display());
        assert!(
            error.starts_with(&expected) && error.contains(reason),
            "{error}"
        );
    }
    std::fs::write(&path, b"\xff\n").unwrap();
    let error = read(&path).unwrap_err().to_string();
    assert!(error.contains("line 1: it is not UTF-8"), "{error}");
}

#[test]
fn a_tape_is_its_owners_alone_and_replaces_nothing_unless_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tape.jsonl");
    let create = |replace| Recorder::create(&path, replace, &profile(), Arc::new(Noon), &Known(1));
    std::fs::write(&path, "somebody's").unwrap();
    let error = create(false).err().unwrap();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody's");
    create(true).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(read(&path).unwrap().exchanges.is_empty());
}

#[test]
fn two_tapes_replace_the_same_name_differently() {
    let dir = tempfile::tempdir().unwrap();
    let tenant = |key: u8| {
        let path = dir.path().join(key.to_string());
        Recorder::create(&path, false, &profile(), Arc::new(Noon), &Known(key)).unwrap();
        read(&path).unwrap().header.tenant
    };
    assert_ne!(tenant(1), tenant(2));
}
