//! The way out: in chunks out of order, with repeats and damage, as exports come.

use std::io::{self, Write};

use crate::Options;
use crate::dice::Dice;

/// Rows of one export on their way.
pub(crate) struct Sink<'a> {
    out: Option<&'a mut dyn Write>,
    dice: Dice,
    repeats: f64,
    damage: u64,
    chunk: Vec<String>,
    waiting: Vec<Vec<String>>,
    pub(crate) rows: u64,
    pub(crate) repeated: u64,
    pub(crate) damaged: u64,
}

const CHUNK: usize = 400;
const WAITING: usize = 4;

impl<'a> Sink<'a> {
    pub(crate) fn new(
        out: Option<&'a mut dyn Write>,
        header: &str,
        number: u64,
        options: &Options,
    ) -> io::Result<Self> {
        let mut out = out;
        if let Some(out) = out.as_mut() {
            out.write_all(header.as_bytes())?;
        }
        Ok(Self {
            out,
            dice: Dice::of(&[options.seed, 70, number]),
            repeats: options.repeats / (1.0 - options.repeats.clamp(0.0, 0.9)),
            damage: options.damaged,
            chunk: Vec::new(),
            waiting: Vec::new(),
            rows: 0,
            repeated: 0,
            damaged: 0,
        })
    }

    pub(crate) fn wanted(&self) -> bool {
        self.out.is_some()
    }

    /// One row with its line end. `cut` is what is left of it should it be damaged; none where it must not be.
    pub(crate) fn row(
        &mut self,
        row: String,
        cut: Option<&dyn Fn(&str) -> String>,
    ) -> io::Result<()> {
        self.rows += 1;
        let row = match cut {
            Some(cut) if self.damage > 0 && self.dice.below(self.damage) == 0 => {
                self.damaged += 1;
                cut(&row)
            }
            _ => row,
        };
        self.chunk.push(row);
        if self.chunk.len() >= CHUNK {
            self.waiting.push(std::mem::take(&mut self.chunk));
            if self.waiting.len() >= WAITING {
                self.emit()?;
            }
        }
        Ok(())
    }

    fn emit(&mut self) -> io::Result<()> {
        let chunk = self
            .waiting
            .swap_remove(self.dice.below(self.waiting.len() as u64) as usize);
        let Some(out) = self.out.as_mut() else {
            return Ok(());
        };
        for row in &chunk {
            out.write_all(row.as_bytes())?;
        }
        // Searches that overlap give a run of rows again, byte by byte.
        let again = self
            .dice
            .about(self.repeats * chunk.len() as f64)
            .min(chunk.len());
        let from = self.dice.below((chunk.len() - again) as u64 + 1) as usize;
        for row in &chunk[from..from + again] {
            out.write_all(row.as_bytes())?;
        }
        self.rows += again as u64;
        self.repeated += again as u64;
        Ok(())
    }

    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let last = std::mem::take(&mut self.chunk);
        if !last.is_empty() {
            self.waiting.push(last);
        }
        while !self.waiting.is_empty() {
            self.emit()?;
        }
        match self.out.as_mut() {
            Some(out) => out.flush(),
            None => Ok(()),
        }
    }
}
