use super::*;
use proptest::prelude::*;

fn pattern(kind: Kind, text: &str) -> Pattern {
    Pattern::parse(kind, text).expect(text)
}

#[test]
fn patterns_are_anchored_and_stop_at_separators() {
    let table = [
        (Kind::Path, "services/*", "services/a", true),
        (Kind::Path, "services/*", "services/a/b", false),
        (Kind::Path, "services/**", "services/a/b", true),
        (Kind::Path, "services/**", "services", true),
        (Kind::Path, "./**", "a/b", true),
        (Kind::Path, "**", "../x", false),
        (Kind::Path, "**", "/etc/passwd", false),
        (Kind::Path, "**", ".", true),
        (Kind::Host, "*.example.com", "a.example.com", true),
        (Kind::Host, "*.example.com", "a.b.example.com", false),
        (Kind::Host, "**.example.com", "a.b.example.com", true),
        (
            Kind::Host,
            "good.example",
            "evil.example/https://good.example",
            false,
        ),
        (
            Kind::Host,
            "*good.example",
            "evil.example/https://good.example",
            false,
        ),
        (
            Kind::Image,
            "ghcr.io/x/kaniko@*",
            "ghcr.io/x/kaniko@sha256:ab",
            true,
        ),
        (
            Kind::Image,
            "ghcr.io/x/kaniko@*",
            "ghcr.io/x/kaniko@sha256:ab/evil",
            false,
        ),
        (Kind::Image, "*.pkg.dev/p/**", "a.evil.pkg.dev/p/x", false),
        (
            Kind::Image,
            "*.pkg.dev/p/**",
            "europe.pkg.dev/p/x/y:1.2",
            true,
        ),
        (Kind::Image, "python:*", "python:3.13", true),
        (Kind::Prefix, "api", "api/x", true),
        (Kind::Prefix, "api", "api-old/x", false),
        (Kind::Prefix, "api/", "api/x", true),
        (Kind::Prefix, "", "anything", true),
        (Kind::Name, "kaniko", "kaniko2", false),
        (
            Kind::Name,
            "projects/*/secrets/s",
            "projects/p/secrets/s",
            true,
        ),
    ];
    for (kind, text, subject, expected) in table {
        assert_eq!(
            pattern(kind, text).matches(subject),
            expected,
            "{text} on {subject}"
        );
    }
    assert!(Pattern::parse(Kind::Path, "a/../../b").is_err());
    assert!(Pattern::parse(Kind::Name, "a\nb").is_err());
}

#[test]
fn a_wider_pattern_is_never_covered_by_a_narrower_one() {
    let covers = |kind, a: &str, b: &str| pattern(kind, a).covers(&pattern(kind, b));
    assert!(covers(Kind::Path, "a/**", "a/b/*"));
    assert!(!covers(Kind::Path, "a/*", "a/**"));
    assert!(!covers(Kind::Path, "a/*", "**"));
    assert!(covers(Kind::Path, "a/**", "a"));
    assert!(!covers(Kind::Path, "a/b*/**", "a/**"));
    assert!(!covers(Kind::Prefix, "api/", "api"));
    assert!(!covers(Kind::Prefix, "api/", ""));
    assert!(covers(Kind::Image, "**", "ghcr.io/**"));
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Path),
        Just(Kind::Name),
        Just(Kind::Host),
        Just(Kind::Image),
        Just(Kind::Prefix)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn what_a_covered_pattern_matches_its_cover_matches(
        kind in kinds(), a in "[ab./*]{0,6}", b in "[ab./*]{0,6}", text in "[ab./]{0,6}",
    ) {
        if let (Ok(a), Ok(b)) = (Pattern::parse(kind, &a), Pattern::parse(kind, &b)) {
            prop_assert!(a.covers(&a));
            if a.covers(&b) && b.matches(&text) {
                prop_assert!(a.matches(&text), "{a} covers {b}, which matches {text}");
            }
        }
    }

    #[test]
    fn without_a_star_a_pattern_is_the_text_itself(text in "[ab.:@-]{1,9}", other in "[ab.:@-]{1,9}") {
        let pattern = pattern(Kind::Name, &text);
        prop_assert_eq!(pattern.matches(&other), text == other);
    }
}
