//! Which targets may be called besides public ones: `SCHEDULER_ALLOW_TARGETS`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use url::Host;

use crate::address::is_public;

/// Targets the operator allows besides public addresses. Empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(Vec<Entry>);

/// One thing allowed, on one port or on all.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    what: What,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// Every address in a network, whatever name led to it.
    Net(IpNet),
    /// One name, whatever it resolves to.
    Name(String),
    /// All names below one.
    Below(String),
}

/// Why a text is not an allow-list: names the entry that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{entry}”: {problem}")]
pub struct AllowListError {
    /// The entry as it was written.
    pub entry: String,
    /// What is wrong with it.
    pub problem: String,
}

impl AllowList {
    /// Whether nothing is allowed but public addresses.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `address`, to which `host` led, may be called on `port`. For a literal both are the same.
    pub fn permits(&self, host: &str, port: u16, address: IpAddr) -> bool {
        is_public(address) || self.0.iter().any(|entry| entry.allows(host, port, address))
    }
}

impl Entry {
    fn allows(&self, host: &str, port: u16, address: IpAddr) -> bool {
        if self.port.is_some_and(|it| it != port) {
            return false;
        }
        // The operating system connects to the IPv4 address behind a mapped one, so that is the one to judge.
        // Other wrappings (NAT64, 6to4) go through gateways and must be allowed as what they are.
        let address = address.to_canonical();
        let host = host.strip_suffix('.').unwrap_or(host);
        match &self.what {
            What::Net(net) => net.contains(&address),
            What::Name(name) => host.eq_ignore_ascii_case(name),
            What::Below(name) => {
                let at = host.len().saturating_sub(name.len());
                let split = host.split_at_checked(at).filter(|(_, end)| end.eq_ignore_ascii_case(name));
                split.and_then(|(start, _)| start.strip_suffix('.')).is_some_and(|label| !label.is_empty())
            }
        }
    }
}

impl FromStr for AllowList {
    type Err = AllowListError;

    /// Reads networks, addresses and host names separated by commas, each with or without a `:port`.
    fn from_str(text: &str) -> Result<Self, AllowListError> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let parse = |entry: &str| {
            entry
                .parse()
                .map_err(|problem| AllowListError { entry: entry.chars().take(100).collect(), problem })
        };
        entries.map(parse).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for Entry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (what, port) = split_port(text)?;
        Ok(Self { what: what.parse()?, port })
    }
}

/// Takes the port off `10.0.0.0/8:80`, `name:80`, `[fd00::1]:80` or `[fd00::]/8:80`.
fn split_port(text: &str) -> Result<(String, Option<u16>), String> {
    let port = |text: &str| {
        let port = text.parse().ok().filter(|port| *port != 0);
        port.map(Some).ok_or_else(|| format!("“{text}” is not a port between 1 and 65535"))
    };
    if let Some(rest) = text.strip_prefix('[') {
        let (inside, after) = rest.split_once(']').ok_or("the bracket is not closed")?;
        if !inside.contains(':') {
            return Err("brackets are for IPv6 addresses".to_owned());
        }
        return match after.split_once(':') {
            Some((len, number)) => Ok((format!("{inside}{len}"), port(number)?)),
            None => Ok((format!("{inside}{after}"), None)),
        };
    }
    match text.split_once(':') {
        // More than one colon: an IPv6 address or network, which can have a port only in brackets.
        Some((_, rest)) if rest.contains(':') => Ok((text.to_owned(), None)),
        Some((what, number)) => Ok((what.to_owned(), port(number)?)),
        None => Ok((text.to_owned(), None)),
    }
}

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            let net: IpNet = text.parse().map_err(|_| "is not a network; write 10.0.0.0/8 or fd00::/8")?;
            if net != net.trunc() {
                return Err(format!("has bits set beyond its prefix; write {}", net.trunc()));
            }
            return Ok(Self::Net(canonical(net)));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Net(IpNet::from(address.to_canonical())));
        }
        let (below, name) = text.strip_prefix("*.").map_or((false, text), |name| (true, name));
        // The URL's own parser, so that names are compared in the form in which targets hold them.
        let domain = match Host::parse(name) {
            Ok(Host::Domain(name)) => name.strip_suffix('.').unwrap_or(&name).to_owned(),
            _ => String::new(),
        };
        let labelled = !domain.contains('*') && !domain.split('.').any(str::is_empty);
        match (labelled, below) {
            (true, true) => Ok(Self::Below(domain)),
            (true, false) => Ok(Self::Name(domain)),
            _ => Err("is neither a network, an address nor a host name; \
                      write 10.0.0.0/8, 10.1.2.3, localhost or *.internal.example, with or without :port"
                .to_owned()),
        }
    }
}

/// A network of mapped addresses as the IPv4 network it stands for.
fn canonical(net: IpNet) -> IpNet {
    match net {
        IpNet::V6(v6) if 96 <= v6.prefix_len() => match v6.addr().to_ipv4_mapped() {
            Some(v4) => Ipv4Net::new(v4, v6.prefix_len() - 96).map_or(net, IpNet::V4),
            None => net,
        },
        _ => net,
    }
}

impl fmt::Display for AllowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{entry}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Net(net) => {
                let single = net.prefix_len() == net.max_prefix_len();
                let len = if single { String::new() } else { format!("/{}", net.prefix_len()) };
                match net.addr() {
                    IpAddr::V6(address) if self.port.is_some() => write!(f, "[{address}]{len}")?,
                    address => write!(f, "{address}{len}")?,
                }
            }
            What::Name(name) => f.write_str(name)?,
            What::Below(name) => write!(f, "*.{name}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(text: &str) -> AllowList {
        text.parse().expect(text)
    }

    fn permits(text: &str, host: &str, port: u16, address: &str) -> bool {
        list(text).permits(host, port, address.parse().expect(address))
    }

    #[test]
    fn empty_means_public_addresses_only() {
        for text in ["", " ", ",", " , "] {
            assert!(list(text).is_empty());
            assert!(permits(text, "example.com", 443, "93.184.216.34"));
            assert!(!permits(text, "localhost", 80, "127.0.0.1"));
        }
    }

    #[test]
    fn an_entry_opens_exactly_what_it_says() {
        for (text, host, port, address, expected) in [
            ("127.0.0.1", "127.0.0.1", 80, "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.1", 1, "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", 80, "127.0.0.2", false),
            ("127.0.0.1", "[::1]", 80, "::1", false),
            ("127.0.0.1", "[::ffff:127.0.0.1]", 80, "::ffff:127.0.0.1", true),
            ("::ffff:127.0.0.1", "127.0.0.1", 80, "127.0.0.1", true),
            ("127.0.0.1", "64:ff9b::7f00:1", 80, "64:ff9b::7f00:1", false),
            ("127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1", true),
            ("127.0.0.1:8080", "127.0.0.1", 8081, "127.0.0.1", false),
            ("10.0.0.0/8", "db", 80, "10.255.0.1", true),
            ("10.0.0.0/8", "db", 80, "11.0.0.1", true),
            ("10.0.0.0/8", "db", 80, "127.0.0.1", false),
            ("10.0.0.0/8:80", "db", 80, "10.255.0.1", true),
            ("10.0.0.0/8:80", "db", 81, "10.255.0.1", false),
            ("::1", "::1", 80, "::1", true),
            ("[::1]:80", "::1", 80, "::1", true),
            ("[::1]:80", "::1", 81, "::1", false),
            ("fd00::/8", "x", 80, "fd12::1", true),
            ("[fd00::]/8:80", "x", 80, "fd12::1", true),
            ("[fd00::/8]:80", "x", 81, "fd12::1", false),
            ("localhost", "localhost", 80, "127.0.0.1", true),
            ("localhost", "LOCALHOST.", 80, "::1", true),
            ("localhost", "127.0.0.1", 80, "127.0.0.1", false),
            ("localhost", "notlocalhost", 80, "127.0.0.1", false),
            ("localhost", "a.localhost", 80, "127.0.0.1", false),
            ("localhost:3000", "localhost", 3000, "127.0.0.1", true),
            ("localhost:3000", "localhost", 3001, "127.0.0.1", false),
            ("my_service", "my_service", 80, "172.18.0.3", true),
            ("*.internal.example", "a.internal.example", 80, "10.0.0.1", true),
            ("*.internal.example", "A.B.Internal.Example.", 80, "10.0.0.1", true),
            ("*.internal.example", "internal.example", 80, "10.0.0.1", false),
            ("*.internal.example", ".internal.example", 80, "10.0.0.1", false),
            ("*.internal.example", "evilinternal.example", 80, "10.0.0.1", false),
            ("*.internal.example", "internal.example.evil", 80, "10.0.0.1", false),
            ("*.internal.example:80", "a.internal.example", 81, "10.0.0.1", false),
            ("*.é.example", "a.xn--9ca.example", 80, "10.0.0.1", true),
            ("*.b", "üb", 80, "10.0.0.1", false),
            ("*.b", "aé", 80, "10.0.0.1", false),
            ("*.b", "é", 80, "10.0.0.1", false),
            ("*.b", "", 80, "10.0.0.1", false),
            ("10.0.0.0/8, localhost", "localhost", 80, "127.0.0.1", true),
        ] {
            assert_eq!(permits(text, host, port, address), expected, "{text} for {host}:{port} = {address}");
        }
    }

    #[test]
    fn is_written_as_it_is_read() {
        for text in [
            "",
            "10.0.0.0/8",
            "10.1.2.3,localhost:8080,*.internal.example",
            "::1,[::1]:80,fd00::/8,[fd00::]/8:80",
            "*.internal.example:443",
        ] {
            assert_eq!(list(text).to_string(), text);
        }
        assert_eq!(list(" LOCALHOST. , ::ffff:10.0.0.0/104").to_string(), "localhost,10.0.0.0/8");
    }

    #[test]
    fn errors_name_the_bad_entry() {
        for (text, expected) in [
            ("localhost,10.0.0.0/33", "“10.0.0.0/33”: is not a network; write 10.0.0.0/8 or fd00::/8"),
            ("10.1.0.0/8", "“10.1.0.0/8”: has bits set beyond its prefix; write 10.0.0.0/8"),
            ("localhost:0", "“localhost:0”: “0” is not a port between 1 and 65535"),
            ("localhost:http", "“localhost:http”: “http” is not a port between 1 and 65535"),
            ("localhost:65536", "“localhost:65536”: “65536” is not a port between 1 and 65535"),
            ("[::1", "“[::1”: the bracket is not closed"),
        ] {
            assert_eq!(text.parse::<AllowList>().unwrap_err().to_string(), expected);
        }
        for bad in [
            "*",
            "*.*.a",
            "a*",
            "*.",
            "a..",
            ".",
            "http://localhost",
            "a b",
            "10.0.0",
            "0x7f.1",
            "*.10.0.0.1",
            "a@b",
            "[x]:1",
            "::g",
        ] {
            let error = bad.parse::<AllowList>().unwrap_err();
            assert_eq!(error.entry, bad);
        }
    }
    proptest! {
        #[test]
        fn any_text_is_answered_and_what_is_written_is_read_back(text in "[a1*.:/\\[\\]f, é-]{0,20}", host in "[aé.*:1]{0,8}") {
            if let Ok(list) = text.parse::<AllowList>() {
                list.permits(&host, 80, IpAddr::from([127, 0, 0, 1]));
                prop_assert_eq!(list.to_string().parse(), Ok(list));
            }
        }
    }
}
