//! The addresses and names of the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns whether an address is reachable from the whole internet (the special-purpose registries
/// of RFC 6890). Loopback, private, link-local (where clouds have their metadata servers) and
/// reserved addresses are not, nor are IPv6 addresses that stand for such an IPv4 one.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Returns whether a name may belong to the public internet: it has several parts, and its last
/// ones are not reserved for this machine or network (RFC 6761, 6762 and 8375; `.internal` by
/// ICANN). Behind a proxy, which resolves names itself, this is the only possible check.
pub(super) fn is_public_name(name: &str) -> bool {
    const OWN: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "localdomain"];
    name.contains('.')
        && !OWN.iter().any(|own| {
            name.strip_suffix(own)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        // This network; carrier-grade NAT; protocol assignments; benchmarks; reserved.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240;
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        // Mapped (::ffff:0:0/96), and by the well-known prefix of NAT64 (64:ff9b::/96).
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(embedded(high, low))
        }
        // 6to4 (2002::/16).
        [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        // Teredo and other protocol assignments (2001::/23), documentation (2001:db8::/32).
        [0x2001, second, ..] => second >= 0x200 && second != 0x0db8,
        // Only 2000::/3 is assigned; private, link-local and multicast addresses are outside of it.
        [first, ..] => first & 0xe000 == 0x2000 && first != 0x3fff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_network_are_not_public() {
        for name in [
            "hooks.example.com",
            "internal.example.com",
            "mylocal.example",
            "a.b",
        ] {
            assert!(is_public_name(name), "{name}");
        }
        for name in [
            "localhost",
            "a.localhost",
            "intranet",
            "metadata.google.internal",
            "printer.local",
            "nas.home.arpa",
            "localhost.localdomain",
        ] {
            assert!(!is_public_name(name), "{name}");
        }
    }

    #[test]
    fn only_public_addresses_are_public() {
        for address in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(address.parse().expect(address)), "{address}");
        }
        for address in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "169.254.20.1",
            "100.64.0.1",
            "192.0.0.192",
            "198.18.0.1",
            "192.0.2.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::1",
            "::",
            "fd20:ce::254",
            "fc00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "::ffff:169.254.169.254",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:0:1::1",
            "2001:db8::1",
            "3fff::1",
        ] {
            assert!(!is_public(address.parse().expect(address)), "{address}");
        }
    }
}
