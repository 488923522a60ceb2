//! A mail server on loopback that speaks real SMTP, with STARTTLS or TLS from the first byte, and lets a test decide
//! how it misbehaves.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What the server does instead of what is right.
pub(crate) enum Reaction {
    Say(&'static str),
    Hang,
    Drop,
}

/// Looks at what the client says (`greeting` before it says anything, `.` at the end of a message).
type Mischief = fn(&str) -> Option<Reaction>;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Tls {
    None,
    Start,
    Implicit,
}

/// A message as it arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delivered {
    pub(crate) hello: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) encrypted: bool,
    /// User name and password, where it was asked for them.
    pub(crate) login: Option<(String, String)>,
    pub(crate) data: Vec<u8>,
}

pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    /// A file with the certificate.
    pub(crate) ca: tempfile::NamedTempFile,
    shared: Arc<Shared>,
}

struct Shared {
    tls: Tls,
    acceptor: TlsAcceptor,
    offers: &'static [&'static str],
    mischief: Mischief,
    delivered: Mutex<Vec<Delivered>>,
    connections: AtomicUsize,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(crate) fn good(_: &str) -> Option<Reaction> {
    None
}

impl MailServer {
    /// Offers `offers` beside STARTTLS.
    pub(crate) async fn start(tls: Tls, offers: &'static [&'static str], mischief: Mischief) -> Self {
        let certified =
            rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let certificate = CertificateDer::from(certified.cert.der().to_vec());
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let mut ca = tempfile::NamedTempFile::new().unwrap();
        writeln!(
            ca,
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----",
            STANDARD.encode(&certificate)
        )
        .unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let shared = Arc::new(Shared {
            tls,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            offers,
            mischief,
            delivered: Mutex::default(),
            connections: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(accepting.clone().serve(Box::new(stream)));
            }
        });
        Self { address, ca, shared }
    }

    /// Its URL, with `login` (`user:password@`) and `parameters` (`&tls=none`); its certificate is trusted.
    pub(crate) fn url(&self, login: &str, parameters: &str) -> String {
        let scheme = if self.shared.tls == Tls::Implicit { "smtps" } else { "smtp" };
        format!("{scheme}://{login}{}?ca={}{parameters}", self.address, self.ca.path().display())
    }

    pub(crate) fn delivered(&self) -> Vec<Delivered> {
        self.shared.delivered.lock().unwrap().clone()
    }

    pub(crate) fn only(&self) -> Delivered {
        let delivered = self.delivered();
        assert_eq!(delivered.len(), 1);
        delivered[0].clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, stream: Box<dyn Stream>) {
        let mut stream = stream;
        if self.tls == Tls::Implicit {
            let Ok(encrypted) = self.acceptor.accept(stream).await else { return };
            stream = Box::new(encrypted);
        }
        let _ = self.converse(stream).await;
    }

    async fn converse(&self, mut stream: Box<dyn Stream>) -> std::io::Result<()> {
        let mut letter = Delivered { encrypted: self.tls == Tls::Implicit, ..Delivered::default() };
        let mut said = "greeting".to_owned();
        loop {
            match (self.mischief)(&said) {
                Some(Reaction::Drop) => return Ok(()),
                Some(Reaction::Hang) => std::future::pending().await,
                Some(Reaction::Say(reply)) => {
                    stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
                    said = line(&mut stream).await?;
                    continue;
                }
                None => (),
            }
            let verb = said.split(' ').next().unwrap().to_ascii_uppercase();
            let reply = match verb.as_str() {
                "GREETING" => "220 mail.test ESMTP".to_owned(),
                "EHLO" => {
                    letter.hello = said[5..].to_owned();
                    self.hello(letter.encrypted)
                }
                "STARTTLS" => {
                    stream.write_all(b"220 2.0.0 go ahead\r\n").await?;
                    stream = Box::new(self.acceptor.accept(stream).await?);
                    letter = Delivered { encrypted: true, ..Delivered::default() };
                    said = line(&mut stream).await?;
                    continue;
                }
                "AUTH" => {
                    letter.login = Some(login(&mut stream, &said).await?);
                    match &letter.login {
                        Some((_, password)) if password == "right" => "235 2.7.0 welcome".to_owned(),
                        _ => "535 5.7.8 bad credentials".to_owned(),
                    }
                }
                "MAIL" => {
                    letter.from = bracketed(&said);
                    "250 2.1.0 ok".to_owned()
                }
                "RCPT" => {
                    letter.to.push(bracketed(&said));
                    "250 2.1.5 ok".to_owned()
                }
                "DATA" => {
                    stream.write_all(b"354 go ahead\r\n").await?;
                    letter.data = data(&mut stream).await?;
                    self.delivered.lock().unwrap().push(letter.clone());
                    ".".clone_into(&mut said);
                    continue;
                }
                "." => "250 2.0.0 queued as 4711".to_owned(),
                "QUIT" => "221 bye".to_owned(),
                _ => "502 5.5.2 what?".to_owned(),
            };
            stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
            said = line(&mut stream).await?;
        }
    }

    fn hello(&self, encrypted: bool) -> String {
        let mut lines = vec!["mail.test"];
        if self.tls == Tls::Start && !encrypted {
            lines.push("STARTTLS");
        }
        lines.extend(self.offers);
        let last = lines.pop().unwrap();
        lines.iter().map(|line| format!("250-{line}\r\n")).chain([format!("250 {last}")]).collect()
    }
}

async fn line(stream: &mut Box<dyn Stream>) -> std::io::Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await?);
    }
    line.truncate(line.len() - 2);
    Ok(String::from_utf8(line).unwrap())
}

/// The message, without the dots that were stuffed into it.
async fn data(stream: &mut Box<dyn Stream>) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::new();
    while !data.ends_with(b"\r\n.\r\n") {
        if stream.read_buf(&mut data).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    data.truncate(data.len() - 3);
    let text = String::from_utf8(data).unwrap();
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a line break of another kind: {text:?}");
    let lines = text.split_inclusive("\r\n").map(|line| line.strip_prefix('.').unwrap_or(line));
    Ok(lines.collect::<String>().into_bytes())
}

fn bracketed(said: &str) -> String {
    said.split_once('<').unwrap().1.split_once('>').unwrap().0.to_owned()
}

/// AUTH PLAIN and AUTH LOGIN, with and without an initial response.
async fn login(stream: &mut Box<dyn Stream>, said: &str) -> std::io::Result<(String, String)> {
    let decode = |text: &str| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
    let mut words = said.split(' ').skip(1);
    let plain = words.next().unwrap() == "PLAIN";
    if plain {
        let response = decode(words.next().unwrap());
        let mut parts = response.split('\0').skip(1);
        return Ok((parts.next().unwrap().to_owned(), parts.next().unwrap().to_owned()));
    }
    let mut answers = Vec::new();
    for prompt in ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"] {
        stream.write_all(format!("334 {prompt}\r\n").as_bytes()).await?;
        answers.push(decode(&line(stream).await?));
    }
    Ok((answers.remove(0), answers.remove(0)))
}
