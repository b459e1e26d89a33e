//! One server: its address, its folder that outlives the process, and the process when there is one.
//!
//! The configuration is written anew at each start, so what is changed meanwhile holds from the next one on.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;
use tempfile::TempDir;

use super::run::read_log;
use super::{Answer, Command, Endpoint, Exit, Product, Run, ServerConfig, Storage, TlsFiles, TransitSeal};
use crate::address::Address;
use crate::certificates::Authority;
use crate::eventually::eventually;
use crate::kubeconfig::write_private;
use crate::process::Janitor;

/// Six times as long as the longest start seen on a busy machine; an A that is down is given up after nine seconds.
const START_DEADLINE: Duration = Duration::from_secs(180);
/// Vault and OpenBao wait a while for requests that are under way.
const END_DEADLINE: Duration = Duration::from_secs(120);

/// What became of a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// It answers requests, sealed or not.
    Listening,
    /// It ended before it answered any.
    Exited(Exit),
}

/// The choices for a server: raft, Shamir-sealed, plain HTTP unless said.
#[derive(Clone)]
pub struct Builder {
    product: Product,
    storage: Storage,
    seals: Vec<TransitSeal>,
    environment: BTreeMap<String, String>,
    tls: Option<Vec<String>>,
    listener: String,
    extra: String,
}

impl Builder {
    /// Its data in memory.
    pub fn inmem(self) -> Self {
        Self { storage: Storage::Inmem, ..self }
    }

    /// One more transit stanza.
    pub fn seal(mut self, seal: TransitSeal) -> Self {
        self.seals.push(seal);
        self
    }

    /// One more variable; it has no others but `PATH` and `HOME`.
    pub fn environment(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Listens with TLS; its certificate is good for its address, `localhost` and these names.
    pub fn tls(self, names: &[&str]) -> Self {
        Self { tls: Some(names.iter().map(|&name| name.to_owned()).collect()), ..self }
    }

    /// Lines for within `listener "tcp"`.
    pub fn listener(self, lines: impl Into<String>) -> Self {
        Self { listener: lines.into(), ..self }
    }

    /// More stanzas for the configuration.
    pub fn extra(self, text: impl Into<String>) -> Self {
        Self { extra: text.into(), ..self }
    }

    /// Takes an address and a folder, without starting anything.
    pub async fn prepare(self) -> Result<Server> {
        let program = self.product.tool().find_in_background().await?.path;
        let folder = tempfile::Builder::new().prefix("holdfast-server-").tempdir()?;
        let janitor = Janitor::for_folder(folder.path())?;
        let address = Address::reserve()?;
        let home = folder.path().to_owned();
        let mut config = ServerConfig::new(self.product, address.ip(), address.ip().to_string(), home.join("data"));
        let mut endpoint = Endpoint::new(address.ip());
        let mut authority = None;
        if let Some(names) = &self.tls {
            let (files, pem) = issue_into(&home, address.ip(), names)?;
            endpoint = endpoint.tls(&pem, &address.ip().to_string())?;
            (config.tls, authority) = (Some(files), Some(pem));
        }
        let config = ServerConfig {
            storage: self.storage,
            seals: self.seals,
            listener: self.listener,
            extra: self.extra,
            ..config
        };
        fs::create_dir_all(&config.data)?;
        Ok(Server {
            run: Mutex::default(),
            program,
            log: home.join("server.log"),
            config_file: home.join("server.hcl"),
            home,
            config,
            environment: self.environment,
            endpoint,
            authority,
            _folder: folder,
            _janitor: janitor,
            _address: address,
        })
    }

    /// Starts it and waits until it answers; fails with its log when it ends instead.
    pub async fn start(self) -> Result<Server> {
        let server = self.prepare().await?;
        server.start().await?;
        Ok(server)
    }
}

/// A server, running or not; it ends when this is dropped.
///
/// The order of the fields is the order in which they are dropped: first the process, then what it uses.
pub struct Server {
    run: Mutex<Option<Run>>,
    program: PathBuf,
    home: PathBuf,
    config_file: PathBuf,
    log: PathBuf,
    /// What the next start is told.
    pub config: ServerConfig,
    /// The variables of the next start.
    pub environment: BTreeMap<String, String>,
    endpoint: Endpoint,
    authority: Option<String>,
    _folder: TempDir,
    _janitor: Janitor,
    _address: Address,
}

impl Server {
    /// The choices for a new one.
    pub fn builder(product: Product) -> Builder {
        Builder {
            product,
            storage: Storage::Raft,
            seals: Vec::new(),
            environment: BTreeMap::new(),
            tls: None,
            listener: String::new(),
            extra: String::new(),
        }
    }

    /// Which it is.
    pub fn product(&self) -> Product {
        self.config.product
    }

    /// Its address, its own as long as this lives.
    pub fn ip(&self) -> Ipv4Addr {
        self.config.ip
    }

    /// `http://127.77.0.1:8200`, or with `https`.
    pub fn url(&self) -> String {
        self.config.api_address()
    }

    /// How it is spoken to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The authority of its certificate as PEM, when it has one.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Its own folder, in which a test may put files such as a token.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// [`Endpoint::request`].
    pub async fn request(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> Result<Answer> {
        self.endpoint.request(method, path, token, body).await
    }

    /// Starts the process, and returns at once. Fails when it runs already.
    pub fn launch(&self) -> Result<()> {
        let mut run = self.run();
        if let Some(running) = run.as_mut()
            && running.ended()?.is_none()
        {
            bail!("{} at {} runs already", self.config.product, self.url());
        }
        write_private(&self.config_file, &self.config.to_string())?;
        *run = Some(Run::start(&Command {
            program: &self.program,
            config: &self.config_file,
            environment: &self.environment,
            home: &self.home,
            log: &self.log,
        })?);
        Ok(())
    }

    /// How it ended, if it has; fails when it was never started.
    pub fn ended(&self) -> Result<Option<Exit>> {
        self.run().as_mut().context("the server was never started")?.ended()
    }

    /// Waits until it answers, or ends; fails when it does neither within the time.
    pub async fn started(&self, deadline: Duration) -> Result<Started> {
        let endpoint = self.endpoint.clone().patience(deadline);
        let probe = async || {
            if let Some(exit) = self.ended()? {
                return Ok(Started::Exited(exit));
            }
            endpoint.health().await.map(|_| Started::Listening)
        };
        eventually(&format!("{} to answer or end", self.config.product), deadline, probe).await
    }

    /// Starts it and waits until it answers; fails with its log when it ends instead.
    pub async fn start(&self) -> Result<()> {
        self.launch()?;
        match self.started(START_DEADLINE).await? {
            Started::Listening => Ok(()),
            Started::Exited(exit) => {
                let Exit { code, log } = exit;
                Err(anyhow!("{} ended with {code}\n--- the end of its log ---\n{log}", self.config.product))
            }
        }
    }

    /// Starts it and waits until it ends; fails when it answers instead.
    pub async fn exits(&self) -> Result<Exit> {
        self.launch()?;
        match self.started(START_DEADLINE).await? {
            Started::Listening => bail!("{} at {} is up", self.config.product, self.url()),
            Started::Exited(exit) => Ok(exit),
        }
    }

    /// Ends it as a crash would.
    pub fn kill(&self) -> Result<Exit> {
        self.run().as_mut().context("the server was never started")?.kill()
    }

    /// Asks it to end, as a kubelet does, and waits until it has.
    pub async fn terminate(&self) -> Result<Exit> {
        self.signal("TERM")?;
        let ended = async || self.ended()?.context("it runs");
        eventually(&format!("the end of {}", self.config.product), END_DEADLINE, ended).await
    }

    /// Ends it as a crash would, starts it again and waits until it answers.
    pub async fn restart(&self) -> Result<()> {
        self.kill()?;
        self.start().await
    }

    /// Stops it in its tracks: connections are accepted by the system, and nothing is answered.
    pub fn pause(&self) -> Result<()> {
        self.signal("STOP")
    }

    /// Lets it go on.
    pub fn resume(&self) -> Result<()> {
        self.signal("CONT")
    }

    /// Empties its storage. Fails when it runs.
    pub fn wipe(&self) -> Result<()> {
        self.with_idle_storage(|data| {
            fs::remove_dir_all(data)?;
            fs::create_dir(data)
        })
    }

    /// Does something with the folder of the storage. Fails when the server runs.
    pub(super) fn with_idle_storage(&self, act: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<()> {
        let mut run = self.run();
        if let Some(running) = run.as_mut()
            && running.ended()?.is_none()
        {
            bail!("{} at {} runs, and its storage is in use", self.config.product, self.url());
        }
        act(&self.config.data).context("the storage of a server")
    }

    /// All it logged, in all its lives.
    pub fn log(&self) -> Result<String> {
        read_log(&self.log)
    }

    fn signal(&self, signal: &str) -> Result<()> {
        self.run().as_mut().context("the server was never started")?.signal(signal)
    }

    fn run(&self) -> MutexGuard<'_, Option<Run>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a certificate for the address and the names into the folder; also the authority's PEM.
fn issue_into(home: &Path, ip: Ipv4Addr, names: &[String]) -> Result<(TlsFiles, String)> {
    let authority = Authority::new()?;
    let ip = ip.to_string();
    let mut all = vec![ip.as_str(), "localhost"];
    all.extend(names.iter().map(String::as_str));
    let issued = authority.issue(&all)?;
    let files = TlsFiles { certificate: home.join("tls.crt"), key: home.join("tls.key") };
    write_private(&files.certificate, &issued.certificate)?;
    write_private(&files.key, &issued.key)?;
    write_private(&home.join("ca.crt"), authority.pem())?;
    Ok((files, authority.pem().to_owned()))
}
