//! Where a value was written, in eight bytes.

use std::fmt;

/// A file of the checkout, by its number in the table of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

impl FileId {
    const MOST: u32 = (1 << FILE_BITS) - 2;
    /// Made here, such as a default; in no file.
    pub const NONE: Self = Self((1 << FILE_BITS) - 1);

    /// The file with this number; none when there are more files than are read.
    #[must_use]
    pub fn new(index: usize) -> Option<Self> {
        u32::try_from(index).ok().filter(|index| *index <= Self::MOST).map(Self)
    }

    /// Its number.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

const FILE_BITS: u32 = 22;
const LINE_BITS: u32 = 26;
const COLUMN_BITS: u32 = 16;

/// A file, a line and a column, both from 1; a column that is too far out is the last that can be told.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin(u64);

impl Origin {
    /// In no file.
    pub const NONE: Self = Self((FileId::NONE.0 as u64) << (LINE_BITS + COLUMN_BITS));

    /// A place in a file.
    #[must_use]
    pub fn new(file: FileId, line: usize, column: usize) -> Self {
        let line = (line as u64).min((1 << LINE_BITS) - 1);
        let column = (column as u64).min((1 << COLUMN_BITS) - 1);
        Self(u64::from(file.0) << (LINE_BITS + COLUMN_BITS) | line << COLUMN_BITS | column)
    }

    /// The file.
    #[must_use]
    pub fn file(self) -> FileId {
        FileId((self.0 >> (LINE_BITS + COLUMN_BITS)) as u32)
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(self) -> u32 {
        ((self.0 >> COLUMN_BITS) & ((1 << LINE_BITS) - 1)) as u32
    }

    /// The column, from 1, in characters.
    #[must_use]
    pub fn column(self) -> u32 {
        (self.0 & ((1 << COLUMN_BITS) - 1)) as u32
    }

    /// Whether it is in a file.
    #[must_use]
    pub fn is_somewhere(self) -> bool {
        self.file() != FileId::NONE
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_somewhere() {
            true => write!(f, "{}:{}:{}", self.file().index(), self.line(), self.column()),
            false => f.write_str("nowhere"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_kept_as_it_was_told() {
        let origin = Origin::new(FileId::new(20_001).unwrap(), 3_000_000, 17);
        assert_eq!((origin.file().index(), origin.line(), origin.column()), (20_001, 3_000_000, 17));
        assert!(origin.is_somewhere() && !Origin::NONE.is_somewhere());
    }

    #[test]
    fn what_is_too_far_out_does_not_spill_over() {
        let origin = Origin::new(FileId::new(1).unwrap(), usize::MAX, usize::MAX);
        assert_eq!((origin.file().index(), origin.column()), (1, 65_535));
        assert_eq!(FileId::new(usize::MAX), None);
        assert_eq!(FileId::new(FileId::NONE.index()), None);
    }
}
