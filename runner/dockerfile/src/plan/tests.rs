use super::*;
use crate::parse;

fn planned(text: &str, args: &[(&str, &str)], target: Option<&str>) -> Result<Plan, Fault> {
    let args = args
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    plan(&parse(text).expect("a Dockerfile"), &args.collect(), target)
}

fn bases(text: &str, args: &[(&str, &str)]) -> Vec<String> {
    let plan = planned(text, args, None).expect("a plan");
    plan.bases.into_iter().map(|base| base.text).collect()
}

#[test]
fn a_from_sees_global_arguments_and_what_is_given() {
    let text = "ARG A=1\nARG B=\"$A-x\" C\nFROM ab:$B\nARG D=4\nFROM ab:$D$C\n";
    assert_eq!(bases(text, &[]), ["ab:1-x", "ab:"]);
    assert_eq!(bases(text, &[("A", "2"), ("C", "3")]), ["ab:2-x", "ab:3"]);
    // Declared or not; an empty value is unset; text after a second equals sign is lost.
    assert_eq!(bases(text, &[("D", "5"), ("B", "")]), ["ab:1-x", "ab:5"]);
    assert_eq!(bases(text, &[("B", "u=v")]), ["ab:u", "ab:"]);
    let plan = planned(text, &[], None).expect("a plan");
    assert_eq!(plan.bases[1].unset, ["D", "C"]);
}

#[test]
fn an_empty_name_is_that_of_a_stage_without_one() {
    let plan = planned("FROM ab AS x\nFROM cd\nFROM $B\n", &[], None).expect("a plan");
    assert_eq!(plan.bases[2].stage, Some(1));
    assert_eq!(plan.needed, [false, true, true]);
    let plan = planned("FROM ab AS x\nFROM $B\n", &[], None).expect("a plan");
    assert_eq!(plan.bases[1].stage, None);
}

#[test]
fn platform_arguments_are_unknown_to_a_from() {
    assert_eq!(bases("FROM ab-$TARGETARCH\n", &[]), ["ab-"]);
}

#[test]
fn only_what_is_needed_is_built() {
    let text = "FROM ab AS one\nFROM cd AS two\nFROM one AS three\nCOPY --from=TWO a b\nFROM ef AS four\nFROM gh\n";
    let plan = planned(text, &[], Some("THREE")).expect("a plan");
    assert_eq!(
        (plan.target, &plan.needed[..]),
        (2, &[true, true, true][..])
    );
    let plan = planned(text, &[], None).expect("a plan");
    assert_eq!(plan.needed, [false, false, false, false, true]);
    assert_eq!(
        planned(text, &[], Some("2"))
            .expect_err("refused")
            .to_string(),
        "error finding target stage: \"2\" is not a valid target build stage"
    );
}

#[test]
fn a_copy_is_from_a_stage_or_an_image() {
    let text = "FROM ab AS a\nFROM cd AS b\nFROM ef\n";
    let plan = planned(text, &[], Some("b")).expect("a plan");
    assert_eq!(plan.origin(1, "A"), Origin::Stage(0));
    assert_eq!(plan.origin(1, "0"), Origin::Stage(0));
    assert_eq!(plan.origin(1, "b"), Origin::Later(1));
    assert_eq!(plan.origin(0, "b"), Origin::Later(1));
    assert_eq!(plan.origin(1, "2"), Origin::None(2));
    assert_eq!(plan.origin(1, "-1"), Origin::None(-1));
    assert_eq!(plan.origin(1, "nginx"), Origin::Image);
}

#[test]
fn what_can_t_be_expanded_stops_it_even_in_a_stage_that_is_not_needed() {
    let fault = |text: &str| planned(text, &[], None).expect_err("refused").to_string();
    assert_eq!(
        fault("FROM ab:${V:?which}\nFROM cd\n"),
        "resolving args: resolving base name ab:${V:?which}: failed to process \"ab:${V:?which}\": V: which"
    );
    assert_eq!(
        fault("ARG A=\"x'\nFROM ab\n"),
        "parsing dockerfile: quotes wrapping arg values must be matched"
    );
    assert!(fault("ARG A=${}\nFROM ab\n").starts_with("expanding meta ARGs: "));
}
