//! Where the one answer of an initialisation is kept until nobody needs it: a folder on memory-backed storage.
//!
//! It outlives the process and the container, not the pod: nothing secret must ever be on a disk. The root token and the
//! shares (encrypted by then, unless they are wanted plain) stay from the moment of the answer until the claim is complete.
//! A mark is set before the request is sent, so that "sent" and "not sent" can be told apart after a crash. Files are
//! written aside, synced and renamed; what is removed is overwritten first. These are a few small files in memory, so they
//! are written without another thread.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::random_id;
use super::recipients::Parts;

/// Our folder in the one that is given: its mode is ours to set, whoever owns the mount.
const FOLDER: &str = "holdfast-init";
const IDENTITY: &str = "id";
const MARK: &str = "sent";
const ANSWER: &str = "answer";

/// The answer of an initialisation, as it is kept.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The attempt.
    pub attempt: String,
    /// Of which server: namespace and StatefulSet.
    pub of: String,
    /// The resource that asked for it, in that namespace: what people know it by.
    pub resource: String,
    /// The Secret that the shares are for.
    pub secret: String,
    /// How many shares were asked for.
    pub asked: u8,
    /// How many the server made.
    pub made: u8,
    /// The root token.
    pub root: SecretString,
    /// The shares as they are to be stored.
    pub parts: Parts,
}

impl Answer {
    /// The resource that asked for it, by namespace and name.
    #[must_use]
    pub fn resource(&self) -> (String, String) {
        resource(&self.of, &self.resource)
    }
}

/// A resource by namespace and name, given the server that it stands for.
pub(super) fn resource(of: &str, name: &str) -> (String, String) {
    let (namespace, _) = of.split_once('/').unwrap_or_default();
    (namespace.to_owned(), name.to_owned())
}

/// The folder.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    id: String,
}

/// Why there is no spool, or something in it can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{act} {}", path.display())]
pub struct Trouble {
    act: &'static str,
    path: PathBuf,
    #[source]
    cause: io::Error,
}

trait During<T> {
    fn during(self, act: &'static str, path: &Path) -> Result<T, Trouble>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, act: &'static str, path: &Path) -> Result<T, Trouble> {
        self.map_err(|cause| Trouble { act, path: path.to_owned(), cause })
    }
}

/// The file of an answer. Serialised into memory that is wiped, and nowhere else.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    attempt: &'a str,
    of: &'a str,
    resource: &'a str,
    secret: &'a str,
    asked: u8,
    made: u8,
    root: &'a str,
    encrypted: bool,
    /// In base64, by name.
    parts: BTreeMap<&'a str, Zeroizing<String>>,
}

impl Spool {
    /// Opens the spool in a folder, and makes it where there is none.
    ///
    /// # Errors
    /// When the folder can't be written to, or others could read it.
    pub fn open(within: &Path) -> Result<Self, Trouble> {
        let folder = within.join(FOLDER);
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made.during("making the folder", &folder)?,
        }
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).during("closing the folder to others", &folder)?;
        let this = Self { id: String::new(), folder };
        // That it can be written to is tried before there is anything to lose.
        this.write("probe", b"probe")?;
        this.remove("probe")?;
        let id = match this.read(IDENTITY)? {
            Some(id) => String::from_utf8_lossy(&id).into_owned(),
            None => {
                let id = random_id();
                this.write(IDENTITY, id.as_bytes())?;
                id
            }
        };
        Ok(Self { id, ..this })
    }

    /// What tells this spool from every other one.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Marks that the request of an attempt is about to be sent.
    ///
    /// # Errors
    /// When it was marked before, or can't be: then nothing may be sent.
    pub fn mark(&self, attempt: &str) -> Result<(), Trouble> {
        let path = self.path(attempt, MARK);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        made.and_then(|file| file.sync_all()).and_then(|()| self.sync()).during("marking", &path)
    }

    /// Whether it was marked.
    ///
    /// # Errors
    /// When that can't be found out, which isn't a no.
    pub fn is_marked(&self, attempt: &str) -> Result<bool, Trouble> {
        let path = self.path(attempt, MARK);
        path.try_exists().during("looking for", &path)
    }

    /// Takes the mark of a request away that certainly was never sent.
    ///
    /// # Errors
    /// When it can't be removed.
    pub fn unmark(&self, attempt: &str) -> Result<(), Trouble> {
        self.remove(&file_name(attempt, MARK))
    }

    /// Keeps an answer.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep(&self, answer: &Answer) -> Result<(), Trouble> {
        let encode = |content: &[u8]| Zeroizing::new(STANDARD.encode(content));
        let document = Document {
            attempt: &answer.attempt,
            of: &answer.of,
            resource: &answer.resource,
            secret: &answer.secret,
            asked: answer.asked,
            made: answer.made,
            root: answer.root.expose_secret(),
            encrypted: answer.parts.is_encrypted(),
            parts: answer.parts.iter().map(|(name, content)| (name, encode(content))).collect(),
        };
        // Room enough, so that it doesn't grow and leave copies behind.
        let room = answer.parts.iter().map(|(name, content)| name.len() + 2 * content.len() + 64).sum::<usize>();
        let mut text = Zeroizing::new(Vec::with_capacity(room + 1024));
        serde_json::to_writer(&mut *text, &document).map_err(io::Error::from).during("writing", &self.folder)?;
        self.write(&file_name(&answer.attempt, ANSWER), &text)
    }

    /// The answer of an attempt, if there is one.
    ///
    /// # Errors
    /// When it can't be read, or is none.
    pub fn answer(&self, attempt: &str) -> Result<Option<Answer>, Trouble> {
        let name = file_name(attempt, ANSWER);
        let Some(text) = self.read(&name)? else { return Ok(None) };
        // What serde says of it could repeat what is secret.
        let broken = || io::Error::from(io::ErrorKind::InvalidData);
        let answer = parse(&text).ok_or_else(broken).during("reading", &self.folder.join(&name))?;
        Ok(Some(answer))
    }

    /// Whether there is an answer of a server.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn has_of(&self, of: &str) -> Result<bool, Trouble> {
        Ok(self.answers()?.iter().any(|answer| answer.of == of))
    }

    /// All answers.
    ///
    /// # Errors
    /// When the folder, or one of them, can't be read.
    pub fn answers(&self) -> Result<Vec<Answer>, Trouble> {
        let entries = fs::read_dir(&self.folder).during("listing", &self.folder)?;
        let mut answers = Vec::new();
        for entry in entries {
            let name = entry.during("listing", &self.folder)?.file_name();
            let attempt = name.to_str().and_then(|name| name.strip_suffix(ANSWER)?.strip_suffix('.'));
            let Some(attempt) = attempt else { continue };
            // Another thread may have wiped it meanwhile.
            answers.extend(self.answer(attempt)?);
        }
        Ok(answers)
    }

    /// Overwrites and removes all that is kept of an attempt.
    ///
    /// # Errors
    /// When it can't be removed.
    pub fn wipe(&self, attempt: &str) -> Result<(), Trouble> {
        // One that was cut off in the midst of writing.
        self.remove(&aside(&file_name(attempt, ANSWER)))?;
        self.remove(&file_name(attempt, ANSWER))?;
        self.remove(&file_name(attempt, MARK))
    }

    fn path(&self, attempt: &str, kind: &str) -> PathBuf {
        self.folder.join(file_name(attempt, kind))
    }

    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Trouble> {
        let path = self.folder.join(name);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.during("opening", &path)?,
        };
        let length = file.metadata().during("reading", &path)?.len();
        let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
        file.read_to_end(&mut content).during("reading", &path)?;
        Ok(Some(content))
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), Trouble> {
        let (aside, path) = (self.folder.join(aside(name)), self.folder.join(name));
        let written = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&aside, &path)?;
            self.sync()
        };
        written().during("writing", &path)
    }

    fn remove(&self, name: &str) -> Result<(), Trouble> {
        let path = self.folder.join(name);
        let removed = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).open(&path)?;
            let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
            file.rewind()?;
            file.write_all(&vec![0; length])?;
            file.sync_all()?;
            fs::remove_file(&path)?;
            self.sync()
        };
        match removed() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.during("removing", &path),
        }
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

/// Where a file is written before it has its name.
fn aside(name: &str) -> String {
    format!("{name}.new")
}

fn file_name(attempt: &str, kind: &str) -> String {
    format!("{attempt}.{kind}")
}

fn parse(text: &[u8]) -> Option<Answer> {
    let document: Document<'_> = serde_json::from_slice(text).ok()?;
    let decode = |content: &str| STANDARD.decode(content).ok().map(Zeroizing::new);
    let parts: Option<BTreeMap<String, Zeroizing<Vec<u8>>>> =
        document.parts.iter().map(|(name, content)| Some(((*name).to_owned(), decode(content)?))).collect();
    Some(Answer {
        attempt: document.attempt.to_owned(),
        of: document.of.to_owned(),
        resource: document.resource.to_owned(),
        secret: document.secret.to_owned(),
        asked: document.asked,
        made: document.made,
        root: SecretString::from(document.root),
        parts: Parts::of(parts?, document.encrypted),
    })
}
