use proptest::prelude::*;

use super::condition::{OfObjects, entries, is_of_objects, of_grant, of_objects, of_prefix};
use super::*;
use crate::{Command, Value};

const BUILDER: &str = "builder@demo.iam.gserviceaccount.com";

fn line(command: Option<Command>) -> String {
    command.expect("a command").to_line()
}

#[test]
fn every_reader_of_a_project_of_a_domain_means_the_same_project() {
    let web = Some("example.com:web".to_owned());
    let address = Account::in_project("b", "example.com:web").expect("an address");
    assert_eq!(
        address.address(),
        "b@web.example.com.iam.gserviceaccount.com"
    );
    assert_eq!(address.project(), web.as_deref());
    for image in [
        "us-docker.pkg.dev/example.com/web/images/app",
        "gcr.io/example.com/web/app",
    ] {
        let repository = Repository::of_image(image).expect("a repository");
        assert_eq!(Some(&repository.project), web.as_ref(), "{image}");
        assert_eq!(
            Repository::from_resource(&repository.resource()),
            Some(repository)
        );
    }
    let cluster = "projects/example.com:web/locations/europe-west1/clusters/ci";
    assert_eq!(of_resource(cluster), web.as_deref());
    let cluster = Cluster::read(cluster).expect("a cluster");
    assert_eq!(Some(&cluster.project), web.as_ref());
    assert_eq!(cluster.make_pool(), None, "GKE alone knows its pool");
}

#[test]
fn projects_are_told_from_other_texts() {
    for project in ["demo", "123456789012", "example.com:web"] {
        assert!(is_project(project), "{project}");
    }
    for text in [
        "",
        "-x",
        "Demo",
        "a/b",
        "a b",
        "example:web",
        "a.b",
        "$(x)",
        "demo:undelete",
    ] {
        assert!(!is_project(text), "{text}");
    }
}

#[test]
fn a_cluster_is_named_by_its_resource_name_or_by_a_short_name() {
    for text in ["projects/p/locations/l/clusters/c", "prod", "kind-builds"] {
        assert!(Cluster::is_named_by(text), "{text}");
    }
    for text in [
        "",
        "a b",
        "projects/p",
        "projects/p/clusters/c",
        "projects//locations/l/clusters/c",
        "projects/p/zones/l/clusters/c",
    ] {
        assert!(!Cluster::is_named_by(text), "{text}");
    }
    let zonal = Cluster::read_link("projects/p/zones/l/clusters/c");
    assert_eq!(zonal, Cluster::read("projects/p/locations/l/clusters/c"));
    assert!(zonal.is_some());
    assert_eq!(Cluster::read_link("projects/p/zones/clusters/c"), None);
}

#[test]
fn an_address_names_its_project() {
    for (address, project) in [
        (BUILDER, Some("demo")),
        ("123-compute@developer.gserviceaccount.com", Some("123")),
        ("demo@appspot.gserviceaccount.com", Some("demo")),
        (
            "web.example.com@appspot.gserviceaccount.com",
            Some("example.com:web"),
        ),
        ("123@cloudservices.gserviceaccount.com", None),
        ("dev@example.com", None),
    ] {
        assert_eq!(
            Account::project_of(address).as_deref(),
            project,
            "{address}"
        );
    }
    for text in [
        "",
        "builder",
        "@demo.iam.gserviceaccount.com",
        "a@b@c",
        "dev@example.com",
    ] {
        assert_eq!(Account::read(text), None, "{text}");
    }
}

#[test]
fn a_misspelt_address_says_what_it_is_and_what_is_meant() {
    for (text, what) in [
        (
            "projects/demo/serviceAccounts/builder@demo.iam.gserviceaccount.com",
            "a resource's name, not an address",
        ),
        ("builder", "a name, not an address"),
        (
            "\"builder@demo.iam.gserviceaccount.com\"",
            "in quotes, which are part of the text",
        ),
        (
            "serviceAccount:builder@demo.iam.gserviceaccount.com",
            "a policy's member, not an address",
        ),
        (
            "builder@${PROJECT_ID}.iam.gserviceaccount.com",
            "a template whose variables were not replaced",
        ),
        (
            " builder@demo.iam.gserviceaccount.com",
            "an address with white space around it",
        ),
    ] {
        let meant = Account::read(BUILDER);
        assert_eq!(
            Account::check(text, "demo"),
            Err(Misspelt { what, meant }),
            "{text}"
        );
    }
    for text in [
        "",
        "builder@${REGION}",
        "dev@example.com",
        "$(rm -rf ~)@x",
        "-x@y",
    ] {
        let misspelt = Account::check(text, "demo").expect_err("no address");
        assert_eq!(misspelt.meant, None, "{text}");
    }
    for id in [
        "104729110382945671023",
        "projects/-/serviceAccounts/104729110382945671023",
    ] {
        let misspelt = Account::check(id, "demo").expect_err("no address");
        assert_eq!(
            misspelt.meant, None,
            "the account of the id is unknown here: {id}"
        );
    }
}

#[test]
fn a_member_is_one_identity_of_a_known_kind() {
    for (caller, member) in [
        (
            BUILDER,
            "serviceAccount:builder@demo.iam.gserviceaccount.com",
        ),
        ("dev@example.com", "user:dev@example.com"),
        (
            "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s",
            "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s",
        ),
    ] {
        let found = Member::of_caller(caller).expect(caller);
        assert_eq!(found.text(), Some(member));
    }
    for text in [
        "allUsers",
        "allAuthenticatedUsers",
        "Caller",
        "Anonymous caller",
        "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*",
        "principal://evil.example/x",
        "builder@demo.iam.gserviceaccount.com ",
        "domain:example.com",
        "",
        "-x@example.com",
        "x@gserviceaccount.com",
    ] {
        assert_eq!(Member::of_caller(text), None, "{text}");
    }
}

#[test]
fn an_account_of_an_unknown_project_gets_a_command_without_a_hole() {
    let compute = Account::read("123-compute@developer.gserviceaccount.com").expect("an address");
    assert_eq!(
        line(compute.enable()),
        "gcloud iam service-accounts enable 123-compute@developer.gserviceaccount.com"
    );
    assert_eq!(compute.create(), None, "people can't create it");
    let builder = Account::read(BUILDER).expect("an address");
    assert_eq!(
        line(builder.create()),
        "gcloud iam service-accounts create builder --project demo"
    );
    assert_eq!(
        line(builder.undelete("104")),
        "gcloud iam service-accounts undelete 104 --project demo"
    );
    let member = Member::workload("demo.svc.id.goog", "builds", "kaniko");
    assert_eq!(
        line(let_act_as(BUILDER, &member)),
        "gcloud iam service-accounts add-iam-policy-binding builder@demo.iam.gserviceaccount.com --project demo --role roles/iam.workloadIdentityUser --member 'serviceAccount:demo.svc.id.goog[builds/kaniko]' --condition=None"
    );
    assert_eq!(let_act_as("builder", &member), None, "no address");
}

fn objects(prefix: &str) -> Resource {
    Resource::Objects {
        bucket: "b".to_owned(),
        prefix: prefix.to_owned(),
    }
}

#[test]
fn a_grant_on_a_prefix_opens_no_other_object() {
    let member = Member::account(BUILDER);
    let viewer = "roles/storage.objectViewer";
    assert_eq!(
        line(grant(&objects("contexts/"), &member, viewer)),
        "gcloud storage buckets add-iam-policy-binding gs://b --member serviceAccount:builder@demo.iam.gserviceaccount.com --role roles/storage.objectViewer '--condition=expression=resource.name.startsWith(\"projects/_/buckets/b/objects/contexts/\"),title=objects-of-a-prefix'"
    );
    assert_eq!(
        grant(&objects("contexts/"), &member, "roles/storage.bucketViewer"),
        None,
        "a role on the bucket can't be kept to a prefix"
    );
    assert!(line(grant(&objects(""), &member, viewer)).ends_with("--condition=None"));
    assert_eq!(
        Resource::folder_of("gs://b/contexts/a/x.tgz"),
        Some(objects("contexts/a/"))
    );
    assert_eq!(Resource::folder_of("gs://b/x.tgz"), None);
    assert_eq!(Resource::folder_of("gs://b"), None);
}

#[test]
fn no_prefix_adds_a_key_to_a_condition() {
    assert_eq!(
        entries(&[("expression", "a"), ("title", "t")]),
        "expression=a,title=t"
    );
    assert_eq!(
        entries(&[("expression", "a,title=x|0|y"), ("title", "t")]),
        "^|1|^expression=a,title=x|0|y|1|title=t"
    );
    let printed = line(grant(
        &objects("x,title=all/"),
        &Member::account(BUILDER),
        "roles/storage.objectViewer",
    ));
    assert!(printed.contains("^|0|^expression="), "{printed}");
}

#[test]
fn conditions_that_see_objects_in_another_way_are_not_decided() {
    let name = "projects/_/buckets/b/objects/contexts/";
    let single = format!(" resource.name.startsWith('{name}') ");
    assert_eq!(
        of_objects(&single, "b"),
        OfObjects::Prefix("contexts/".to_owned())
    );
    assert_eq!(of_objects(&single, "other"), OfObjects::Undecided);
    for expression in [
        format!(
            "resource.name.startsWith(\"{name}\") && request.time < timestamp(\"2020-01-01T00:00:00Z\")"
        ),
        "resource.type == \"storage.googleapis.com/Object\"".to_owned(),
        format!("!resource.name.startsWith(\"{name}\")"),
        format!("resource.name.startsWith(\"{name}\") || (true)"),
        format!("resource.name.startsWith(\"{name}\" + \"x\")"),
        "resource.name.startsWith(\"\\x41\")".to_owned(),
        format!("resource.name == \"{name}a\""),
        format!("resource.name == \"{name}a\" || resource.name.startsWith(\"{name}b/\")"),
        format!("resource.name == \"{name}a\" || resource.name.startsWith(\"{name}a\")"),
        format!("{} || true", of_grant("b", "contexts/a")),
    ] {
        assert_eq!(
            of_objects(&expression, "b"),
            OfObjects::Undecided,
            "{expression}"
        );
    }
    let time = "request.time < timestamp(\"2020-01-01T00:00:00Z\")";
    assert_eq!(of_objects(time, "b"), OfObjects::None);
    assert!(is_of_objects("storage.objects.get"));
    assert!(
        !is_of_objects("storage.objects.list"),
        "a list is the bucket's"
    );
    assert!(!is_of_objects("storage.buckets.get"));
}

#[test]
fn repositories_are_known_by_their_images() {
    let resource = |image: &str| Repository::of_image(image).map(|found| found.resource());
    for (image, expected) in [
        (
            "europe-docker.pkg.dev/p/r/team/api",
            "projects/p/locations/europe/repositories/r",
        ),
        (
            "eu.gcr.io/p/api",
            "projects/p/locations/europe/repositories/eu.gcr.io",
        ),
        (
            "gcr.io/p/api",
            "projects/p/locations/us/repositories/gcr.io",
        ),
    ] {
        assert_eq!(resource(image).as_deref(), Some(expected));
    }
    assert_eq!(resource("ghcr.io/a/b"), None);
    assert_eq!(resource("europe-docker.pkg.dev/p"), None);
    for image in [
        "europe-docker.pkg.dev/p/api",
        "europe-docker.pkg.dev/api",
        "europe-docker.pkg.dev/example.com/p/api",
    ] {
        assert!(Repository::is_left_out(image), "{image}");
    }
    for image in [
        "europe-docker.pkg.dev/p/r/api",
        "europe-docker.pkg.dev/example.com/p/r/api",
        "gcr.io/p/api",
        "ghcr.io/a/b",
    ] {
        assert!(!Repository::is_left_out(image), "{image}");
    }
}

#[test]
fn apis_are_enabled_in_projects_alone() {
    assert_eq!(
        line(enable_apis(&["iam.googleapis.com"], "demo")),
        "gcloud services enable iam.googleapis.com --project demo"
    );
    for (name, project) in [
        ("iam.googleapis.com", "$(reboot)"),
        ("iam.googleapis.com", ""),
        ("evil.example", "demo"),
        ("$(reboot).googleapis.com", "demo"),
    ] {
        assert_eq!(enable_apis(&[name], project), None, "{name} {project}");
    }
}

#[test]
fn nothing_is_bound_to_a_user_who_is_not_known() {
    use crate::kubectl::{let_create_tokens, refused_user};
    let lines = |account: &str, user: Option<&str>| -> Vec<String> {
        let commands = let_create_tokens("builds", account, user);
        commands.iter().map(Command::to_line).collect()
    };
    assert_eq!(
        lines("kaniko", None),
        [""; 0],
        "a Role alone grants nothing"
    );
    assert_eq!(
        lines("kaniko", Some("dev@x")),
        [
            "kubectl create role create-tokens-of-kaniko --verb=create --resource=serviceaccounts/token --resource-name=kaniko -n builds",
            "kubectl create rolebinding create-tokens-of-kaniko:dev@x --role=create-tokens-of-kaniko --user dev@x -n builds",
        ]
    );
    let said = "serviceaccounts \"kaniko\" is forbidden: User \"dev@x\" cannot create resource \"serviceaccounts/token\" in API group \"\" in the namespace \"builds\"";
    assert_eq!(refused_user(said), Some("dev@x"));
    assert_eq!(refused_user("pods is forbidden: exceeded quota"), None);
}

proptest! {
    /// A condition for a prefix parses back to exactly that prefix.
    #[test]
    fn a_condition_is_read_back_as_the_prefix_that_was_written(prefix in "\\PC{0,16}") {
        let expression = of_prefix("b", &prefix);
        prop_assert_eq!(of_objects(&expression, "b"), OfObjects::Prefix(prefix.clone()));
        let path = format!("{prefix}x");
        let expression = of_grant("b", &path);
        prop_assert_eq!(of_objects(&expression, "b"), OfObjects::Path(path));
    }

    /// No two accounts and users share an RBAC name.
    #[test]
    fn names_of_bindings_are_of_one_user(a in "[a-z/%=:@.]{1,6}", b in "[a-z/%=:@.]{1,6}") {
        let name = |user: &str| {
            let commands = crate::kubectl::let_create_tokens("n", "k", Some(user));
            commands.get(1).map(Command::to_line).and_then(|line| line.split(' ').nth(3).map(str::to_owned))
        };
        let (first, second) = (name(&a), name(&b));
        prop_assert!(first.as_ref().is_some_and(|name| !name.contains(['/', '%'])));
        prop_assert_eq!(first == second, a == b);
    }

    /// An address is unchanged after it is split into its parts and joined again.
    #[test]
    fn an_address_is_made_of_name_and_project(name in "[a-z][a-z0-9-]{0,8}", project in "([a-z]{1,5}\\.[a-z]{2,3}:)?[a-z][a-z0-9-]{0,8}") {
        let account = Account::in_project(&name, &project).expect("an address");
        prop_assert_eq!(account.project(), Some(project.as_str()));
        prop_assert_eq!(account.name(), Some(name.as_str()));
        prop_assert_eq!(Account::read(account.address()), Some(account));
    }
}

#[test]
fn a_member_that_is_looked_up_has_no_text() {
    let asked = Command::fixed(&["gcloud", "x"]).output();
    let member = Member::account(asked);
    assert_eq!(member.text(), None);
    assert_ne!(Value::from(&member).text(), Some(""));
}

#[test]
fn permissions_of_deny_policies_have_their_service_s_host() {
    for (name, expected) in [
        (
            "storage.objects.get",
            Some("storage.googleapis.com/objects.get"),
        ),
        (
            "iam.serviceAccounts.getAccessToken",
            Some("iam.googleapis.com/serviceAccounts.getAccessToken"),
        ),
        (
            "resourcemanager.projects.get",
            Some("cloudresourcemanager.googleapis.com/projects.get"),
        ),
        ("storage.objects", None),
        ("", None),
    ] {
        assert_eq!(deny::permission(name).as_deref(), expected, "{name}");
    }
}

#[test]
fn groups_of_permissions_cover_their_members_alone() {
    let get = "storage.googleapis.com/objects.get";
    for (entry, expected) in [
        (get, true),
        ("storage.googleapis.com/objects.*", true),
        ("storage.googleapis.com/*.get", true),
        ("storage.googleapis.com/*.*", true),
        ("storage.googleapis.com/objects.list", false),
        ("storage.googleapis.com/buckets.*", false),
        ("iam.googleapis.com/*.*", false),
        ("storage.googleapis.com", false),
        ("*", false),
    ] {
        assert_eq!(deny::covers(entry, get), expected, "{entry}");
    }
}

#[test]
fn principals_of_deny_policies_are_members_of_allow_policies() {
    let pool = "iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/p";
    for (principal, member) in [
        (
            "principal://iam.googleapis.com/projects/-/serviceAccounts/b@p.iam.gserviceaccount.com",
            "serviceAccount:b@p.iam.gserviceaccount.com",
        ),
        (
            "principal://goog/subject/ada@example.com",
            "user:ada@example.com",
        ),
        (
            &format!("principal://{pool}/subject/ns/a/sa/b"),
            &format!("principal://{pool}/subject/ns/a/sa/b"),
        ),
    ] {
        assert_eq!(deny::member(principal).as_deref(), Some(member));
        assert_eq!(deny::principal(member).as_deref(), Some(principal));
    }
    for (principal, member) in [
        ("principalSet://goog/public:all", Some("allUsers")),
        (
            "principalSet://goog/group/dev@example.com",
            Some("group:dev@example.com"),
        ),
        (
            "principalSet://cloudresourcemanager.googleapis.com/projects/12/type/ServiceAccount",
            None,
        ),
    ] {
        assert_eq!(deny::member(principal).as_deref(), member, "{principal}");
    }
    assert_eq!(deny::principal("serviceAccount:p.svc.id.goog[a/b]"), None);
}
