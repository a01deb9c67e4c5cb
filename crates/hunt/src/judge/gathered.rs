//! Events that concern accounts, by groups of accounts, packed: in memory while they are few,
//! else in a nameless file. Unpacked an event is four times as large.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;

use super::Bounds;
use crate::event::Event;
use crate::store::StoreError;

/// What a reading of the store has gathered.
pub(super) struct Gathered {
    groups: Vec<Group>,
    disk: Option<Disk>,
    /// Bytes in memory.
    held: usize,
    most_held: usize,
    /// Room to pack an event in.
    room: Vec<u8>,
}

struct Group {
    targets: Range<usize>,
    /// Of each event: how many of the targets it concerns, which, its length, itself.
    packed: Vec<u8>,
    /// Begin and length of what was put on disk, in order.
    segments: Vec<(u64, usize)>,
}

struct Disk {
    file: File,
    written: u64,
}

/// The events of one group.
#[derive(Default)]
pub(super) struct Loaded {
    bytes: Vec<u8>,
    first: usize,
    /// Of each target of the group, where its events lie.
    places: Vec<Vec<Range<usize>>>,
}

impl Gathered {
    pub(super) fn new(groups: &[Range<usize>], bounds: &Bounds) -> Result<Self, StoreError> {
        let disk = bounds.scratch.as_ref().map(|directory| {
            let file = tempfile::tempfile_in(directory).map_err(on_disk)?;
            Ok(Disk { file, written: 0 })
        });
        Ok(Self {
            groups: groups
                .iter()
                .map(|targets| Group {
                    targets: targets.clone(),
                    packed: Vec::new(),
                    segments: Vec::new(),
                })
                .collect(),
            disk: disk.transpose()?,
            held: 0,
            most_held: bounds.held,
            room: Vec::new(),
        })
    }

    /// One more event; `concerned` are the numbers of the targets, in order.
    pub(super) fn push(&mut self, event: &Event, concerned: &[usize]) -> Result<(), StoreError> {
        let mut room = std::mem::take(&mut self.room);
        room.clear();
        self.room = postcard::to_extend(event, room)
            .map_err(|error| StoreError::new("packing an event", error))?;
        let mut rest = concerned;
        while let Some(first) = rest.first() {
            let number = self
                .groups
                .partition_point(|group| group.targets.end <= *first);
            let Some(group) = self.groups.get_mut(number) else {
                break;
            };
            let (of_group, after) =
                rest.split_at(rest.partition_point(|target| *target < group.targets.end));
            rest = after;
            let before = group.packed.len();
            put(&mut group.packed, of_group.len());
            for target in of_group {
                put(&mut group.packed, *target);
            }
            put(&mut group.packed, self.room.len());
            group.packed.extend_from_slice(&self.room);
            self.held += group.packed.len() - before;
        }
        if self.held >= self.most_held
            && let Some(disk) = &mut self.disk
        {
            for group in &mut self.groups {
                disk.put_down(group).map_err(on_disk)?;
            }
            self.held = 0;
        }
        Ok(())
    }

    /// Takes out the events of one group.
    pub(super) fn take(&mut self, number: usize) -> Result<Loaded, StoreError> {
        let Some(group) = self.groups.get_mut(number) else {
            return Ok(Loaded::default());
        };
        let mut bytes = Vec::new();
        if let Some(disk) = &mut self.disk {
            for segment in std::mem::take(&mut group.segments) {
                disk.take_up(segment, &mut bytes).map_err(on_disk)?;
            }
        }
        let held = std::mem::take(&mut group.packed);
        if bytes.is_empty() {
            bytes = held;
        } else {
            bytes.extend_from_slice(&held);
        }
        Loaded::new(bytes, group.targets.clone())
            .ok_or_else(|| on_disk(io::ErrorKind::UnexpectedEof.into()))
    }
}

impl Disk {
    fn put_down(&mut self, group: &mut Group) -> io::Result<()> {
        if group.packed.is_empty() {
            return Ok(());
        }
        let packed = lz4_flex::compress_prepend_size(&group.packed);
        self.file.write_all(&packed)?;
        group.segments.push((self.written, packed.len()));
        self.written += packed.len() as u64;
        group.packed.clear();
        // Of many groups each gets its room anew.
        group.packed.shrink_to(64 << 10);
        Ok(())
    }

    fn take_up(&mut self, (at, length): (u64, usize), into: &mut Vec<u8>) -> io::Result<()> {
        let mut packed = vec![0; length];
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(&mut packed)?;
        let bytes = lz4_flex::decompress_size_prepended(&packed).map_err(io::Error::other)?;
        into.extend_from_slice(&bytes);
        Ok(())
    }
}

impl Loaded {
    fn new(bytes: Vec<u8>, targets: Range<usize>) -> Option<Self> {
        let mut places = vec![Vec::new(); targets.len()];
        let mut at = 0;
        while at < bytes.len() {
            let mut concerned = Vec::new();
            for _ in 0..get(&bytes, &mut at)? {
                concerned.push(get(&bytes, &mut at)?);
            }
            let length = get(&bytes, &mut at)?;
            let place = at..at.checked_add(length)?;
            bytes.get(place.clone())?;
            at = place.end;
            for target in concerned {
                places
                    .get_mut(target.checked_sub(targets.start)?)?
                    .push(place.clone());
            }
        }
        Some(Self {
            bytes,
            first: targets.start,
            places,
        })
    }

    /// All that concern one of the targets, in the order of the store.
    pub(super) fn of(&self, target: usize) -> Result<Vec<Event>, StoreError> {
        let places = target
            .checked_sub(self.first)
            .and_then(|number| self.places.get(number));
        places
            .into_iter()
            .flatten()
            .filter_map(|place| self.bytes.get(place.clone()))
            .map(|bytes| {
                postcard::from_bytes(bytes)
                    .map_err(|error| StoreError::new("unpacking an event", error))
            })
            .collect()
    }
}

fn put(bytes: &mut Vec<u8>, number: usize) {
    bytes.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

fn get(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let number = bytes.get(*at..)?.first_chunk::<4>()?;
    *at += 4;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}

fn on_disk(error: io::Error) -> StoreError {
    StoreError::new("keeping events on disk while they are judged", error)
}
