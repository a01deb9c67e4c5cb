//! Where a store lies: its directory and its file, looked at before SQLite does.

use std::fs::{self, OpenOptions};
use std::io::Read as _;
use std::path::Path;

use crate::error::StoreError;
use crate::key::{private, sync_parent};

/// Makes a directory that only its owner can enter; one that is there stays as it is.
pub(crate) fn make_folder(dir: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder
        .create(dir)
        .map_err(|error| StoreError::io(dir, error))
}

/// Looks at the file before SQLite does, which would take an empty or foreign one
/// for its own, and makes the file if there is none.
pub(crate) fn inspect_file(path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::io(path, error);
    let mut file = private(
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false),
    )
    .open(path)
    .map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    if length == 0 {
        return sync_parent(path).map_err(failed);
    }
    let foreign = |why: &str| StoreError::Foreign {
        path: path.to_owned(),
        why: why.to_owned(),
    };
    let mut head = [0; 100];
    if file.read_exact(&mut head).is_err() {
        return Err(foreign("it is cut short"));
    }
    if !head.starts_with(b"SQLite format 3\0") {
        return Err(foreign("it is not a SQLite file"));
    }
    // What the file's own header says about its length holds unless changes still
    // wait in the write-ahead log.
    let wal = path.with_extension("db-wal");
    let log = fs::metadata(wal).map_or(0, |data| data.len());
    let page = match u64::from(u16::from_be_bytes([head[16], head[17]])) {
        1 => 65_536,
        size => size,
    };
    let pages = u64::from(u32::from_be_bytes([head[28], head[29], head[30], head[31]]));
    if log == 0 && length < page * pages {
        return Err(foreign("it is cut short"));
    }
    Ok(())
}
