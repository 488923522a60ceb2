//! Which addresses are public: the deny list of the safe client.
//!
//! Everything an attacker could reach *through* us but not without us is denied: our own host, our network, the
//! cloud's metadata service, and every notation in which IPv6 can wrap one of those.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `address` belongs to the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// IPv4 networks that are not the public internet, or that only our own host or cloud can reach.
const DENIED_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),        // this host
    ([10, 0, 0, 0], 8),       // private
    ([100, 64, 0, 0], 10),    // carrier-grade NAT; Alibaba's metadata service
    ([127, 0, 0, 0], 8),      // loopback
    ([168, 63, 129, 16], 32), // Azure's WireServer: public by number, answered by the hypervisor
    ([169, 254, 0, 0], 16),   // link-local; the metadata service of nearly every cloud
    ([172, 16, 0, 0], 12),    // private
    ([192, 0, 0, 0], 24),     // protocol assignments; Oracle's metadata service
    ([192, 0, 2, 0], 24),     // documentation
    ([192, 88, 99, 0], 24),   // 6to4 relays
    ([192, 168, 0, 0], 16),   // private
    ([198, 18, 0, 0], 15),    // benchmarks
    ([198, 51, 100, 0], 24),  // documentation
    ([203, 0, 113, 0], 24),   // documentation
    ([224, 0, 0, 0], 4),      // multicast
    ([240, 0, 0, 0], 4),      // reserved; broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let address = u32::from(address);
    !DENIED_V4.iter().any(|(net, len)| (address ^ u32::from_be_bytes(*net)) >> (32 - len) == 0)
}

/// IPv6 networks inside `2000::/3` that are not the public internet.
const DENIED_V6: [([u16; 2], u32); 3] = [
    ([0x2001, 0x0000], 23), // protocol assignments: Teredo (which wraps IPv4), ORCHID, benchmarks
    ([0x2001, 0x0db8], 32), // documentation
    ([0x3fff, 0x0000], 20), // documentation
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, ..] = address.segments();
    // Only 2000::/3 is assigned as global unicast. This one comparison denies `::`, `::1`, IPv4-compatible
    // addresses (::/96), NAT64 (64:ff9b::/96 and 64:ff9b:1::/48), fc00::/7, fe80::/10, fec0::/10 and ff00::/8.
    if first >> 13 != 0b001 {
        return false;
    }
    // 6to4 is judged by the IPv4 address it wraps.
    if first == 0x2002 {
        let [a, b] = second.to_be_bytes();
        let [c, d] = third.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    let start = join(first, second);
    !DENIED_V6.iter().any(|([high, low], len)| (start ^ join(*high, *low)) >> (32 - len) == 0)
}

fn join(high: u16, low: u16) -> u32 {
    u32::from(high) << 16 | u32::from(low)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn public(address: &str) -> bool {
        is_public(address.parse().expect(address))
    }

    /// First and last address of every network denied, and their neighbours where those are public.
    #[test]
    fn the_deny_list_has_exact_edges() {
        let edges = [
            ("0.0.0.0", "0.255.255.255", "", "1.0.0.0"),
            ("10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"),
            ("100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"),
            ("127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"),
            ("168.63.129.16", "168.63.129.16", "168.63.129.15", "168.63.129.17"),
            ("169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"),
            ("172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"),
            ("192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"),
            ("192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"),
            ("192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0"),
            ("192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"),
            ("198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"),
            ("198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0"),
            ("203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"),
            ("224.0.0.0", "255.255.255.255", "223.255.255.255", ""),
        ];
        for (first, last, before, after) in edges {
            assert!(!public(first), "{first}");
            assert!(!public(last), "{last}");
            for neighbour in [before, after].into_iter().filter(|it| !it.is_empty()) {
                assert!(public(neighbour), "{neighbour}");
                assert!(public(&format!("::ffff:{neighbour}")), "mapped {neighbour}");
            }
            assert!(!public(&format!("::ffff:{first}")), "mapped {first}");
            assert!(!public(&format!("::ffff:{last}")), "mapped {last}");
        }
    }

    #[test]
    fn ipv6_that_is_not_public() {
        for denied in [
            "::",
            "::1",
            "::127.0.0.1",        // IPv4-compatible
            "::8.8.8.8",          // the same of a public address: deprecated, never routed
            "64:ff9b::7f00:1",    // NAT64
            "64:ff9b::a9fe:a9fe", // NAT64 of the metadata service
            "64:ff9b:1::a00:1",   // NAT64, local use
            "100::1",             // discard
            "fc00::1",            // unique local
            "fd00:ec2::254",      // the metadata service of AWS
            "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "2001::1", // Teredo
            "2001:0:7f00:1::",
            "2001:0:4136:e378:8000:63bf:5601:5601", // Teredo of 169.254.169.254
            "2001:db8::1",
            "2002:7f00:1::", // 6to4 of 127.0.0.1
            "2002:a00:1::1",
            "2002:c0a8:101::1",
            "2002:a9fe:a9fe::",
            "3fff::1",
            "4000::1",
            "1fff::1",
        ] {
            assert!(!public(denied), "{denied}");
        }
        for allowed in
            ["2606:4700:4700::1111", "2a00:1450:4001:831::200e", "2001:4860:4860::8888", "2002:808:808::1"]
        {
            assert!(public(allowed), "{allowed}");
        }
    }

    proptest! {
        #[test]
        fn no_notation_of_ipv6_opens_what_ipv4_denies(bits in any::<u32>()) {
            let v4 = Ipv4Addr::from(bits);
            let [a, b, c, d] = v4.octets().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            let wrapped = [
                v4.to_ipv6_mapped(),
                v4.to_ipv6_compatible(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
            ];
            for v6 in wrapped {
                prop_assert!(is_public(v4.into()) || !is_public(v6.into()), "{v4} in {v6}");
            }
        }
    }
}
