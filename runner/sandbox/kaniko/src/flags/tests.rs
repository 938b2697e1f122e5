use super::*;

fn parse(args: &[&str]) -> Result<Flags, String> {
    Flags::parse(args.iter().map(|&arg| arg.to_owned()))
}

#[test]
fn values_stay_values() {
    let flags = parse(&[
        "--context=gs://b/o",
        "-d",
        "r/a:1",
        "--destination=r/b",
        "--build-arg=A=-x=y",
        "--build-arg",
        "--no-push",
        "--label=a=b",
        "--cache=false",
        "--target=-t",
        "--digest-file=/dev/termination-log",
    ])
    .unwrap();
    assert_eq!(flags.destinations, ["r/a:1", "r/b"]);
    let pair = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
    assert_eq!(
        flags.build_args,
        [pair("A", Some("-x=y")), pair("--no-push", None)]
    );
    assert!(!flags.no_push);
    assert_eq!(flags.target.as_deref(), Some("-t"));
    assert_eq!(flags.cache_repo, None);
    assert_eq!(
        parse(&["--cache", "-d=h:1/a/b:2"])
            .unwrap()
            .cache_repo
            .unwrap(),
        "h:1/a/b/cache"
    );
}

#[test]
fn mistakes_are_told_as_kaniko_tells_them() {
    assert_eq!(
        parse(&["--platform=x"]).unwrap_err(),
        "unknown flag: --platform"
    );
    assert_eq!(
        parse(&["--context"]).unwrap_err(),
        "flag needs an argument: --context"
    );
    assert!(
        parse(&["--cache=maybe"])
            .unwrap_err()
            .starts_with("invalid argument \"maybe\" for \"--cache\"")
    );
    assert!(
        parse(&["--log-format=xml"])
            .unwrap_err()
            .contains("not a valid log format")
    );
    assert!(usage().lines().count() > 55);
}
