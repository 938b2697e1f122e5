//! The table of requests.

/// Requests that build on each other.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) requests: Vec<Request>,
}

/// One request.
pub(crate) struct Request {
    /// Its line in the table.
    pub(crate) line: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) media: &'static str,
    pub(crate) body: String,
}

impl Case {
    /// Reads the table for a namespace.
    pub(crate) fn all(text: &str, namespace: &str) -> Vec<Self> {
        let mut cases: Vec<Self> = Vec::new();
        for line in text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            if let Some(name) = line.strip_prefix("== ") {
                let name = name.to_owned();
                cases.push(Self {
                    name,
                    requests: Vec::new(),
                });
            } else {
                let case = cases.last_mut().expect("a case has begun");
                case.requests.push(Request::read(line, namespace));
            }
        }
        cases
    }
}

impl Request {
    fn read(line: &str, namespace: &str) -> Self {
        let filled = line.replace("NS", namespace);
        let mut words = filled.splitn(3, ' ');
        let mut next = || words.next().unwrap_or_default().to_owned();
        let (method, path, body) = (next(), next(), next());
        let (method, media) = match method.split_once(':') {
            Some((method, "json")) => (method, "application/json-patch+json"),
            Some((method, "merge")) => (method, "application/merge-patch+json"),
            Some((method, "strategic")) => (method, "application/strategic-merge-patch+json"),
            Some((method, "apply")) => (method, "application/apply-patch+yaml"),
            Some((method, _)) => (method, "application/other"),
            None => (&*method, "application/json"),
        };
        let path = if path.starts_with('/') {
            path
        } else {
            format!("/api/v1/namespaces/{namespace}/{path}")
        };
        Self {
            line: line.to_owned(),
            method: method.to_owned(),
            path,
            media,
            body,
        }
    }
}
