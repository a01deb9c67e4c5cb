//! Which operation of the document a concrete path means.

/// A path of the document, cut into segments: `/users/{user-id}/messages`.
#[derive(Debug)]
pub(crate) struct Template {
    /// As the document writes it; the key of its operations.
    pub(crate) path: String,
    segments: Vec<Segment>,
}

#[derive(Debug)]
enum Segment {
    /// Has to be the same, apart from case: Graph does not tell case apart.
    Literal(String),
    /// Anything between what stands before and after the `{parameter}`.
    Parameter { before: String, after: String },
}

impl Template {
    pub(crate) fn new(path: &str) -> Template {
        Template {
            path: path.to_owned(),
            segments: cut(path)
                .iter()
                .map(|segment| Segment::new(segment))
                .collect(),
        }
    }

    /// How many segments are literally equal, or `None` where the path does not fit. Of
    /// several templates that fit, the one with the most is meant:
    /// `/auditLogs/signIns/confirmCompromised` is not the sign-in of that id.
    pub(crate) fn fits(&self, path: &[String]) -> Option<usize> {
        if path.len() != self.segments.len() {
            return None;
        }
        self.segments
            .iter()
            .zip(path)
            .try_fold(0, |literal, (segment, given)| match segment {
                Segment::Literal(text) => text.eq_ignore_ascii_case(given).then_some(literal + 1),
                Segment::Parameter { before, after } => given
                    .strip_prefix(before.as_str())
                    .and_then(|rest| rest.strip_suffix(after.as_str()))
                    .filter(|value| !value.is_empty() && !value.starts_with('$'))
                    .map(|_| literal + usize::from(!before.is_empty())),
            })
    }
}

impl Segment {
    fn new(text: &str) -> Segment {
        match text.split_once('{').and_then(|(before, rest)| {
            let (_, after) = rest.rsplit_once('}')?;
            Some((before.to_owned(), after.to_owned()))
        }) {
            Some((before, after)) => Segment::Parameter { before, after },
            None => Segment::Literal(text.to_owned()),
        }
    }
}

/// The segments of a concrete path in the form that the document uses: `/me` is the user
/// signed in, and a key in parentheses, `/servicePrincipals(appId='…')`, stands for a
/// segment of its own.
pub(crate) fn normalised(path: &str) -> Vec<String> {
    let mut segments = Vec::new();
    for (index, segment) in cut(path).into_iter().enumerate() {
        if index == 0 && segment.eq_ignore_ascii_case("me") {
            segments.extend(["users".to_owned(), "me".to_owned()]);
        } else if let Some((name, key)) = alternate_key(segment) {
            segments.extend([name.to_owned(), key.to_owned()]);
        } else {
            segments.push(segment.to_owned());
        }
    }
    segments
}

/// `name(key='value')` or `name('value')` where the name is that of a collection.
/// Functions keep their parentheses: they come after an identifier, never at the start.
fn alternate_key(segment: &str) -> Option<(&str, &str)> {
    const COLLECTIONS: [&str; 7] = [
        "users",
        "applications",
        "servicePrincipals",
        "groups",
        "devices",
        "mailFolders",
        "directoryRoles",
    ];
    let (name, rest) = segment.split_once('(')?;
    let key = rest.strip_suffix(')')?;
    COLLECTIONS
        .iter()
        .any(|collection| collection.eq_ignore_ascii_case(name))
        .then_some((name, key))
}

fn cut(path: &str) -> Vec<&str> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(templates: &'a [Template], path: &str) -> Option<&'a str> {
        let segments = normalised(path);
        templates
            .iter()
            .filter_map(|template| Some((template.fits(&segments)?, template.path.as_str())))
            .max()
            .map(|(_, path)| path)
    }

    #[test]
    fn the_most_literal_template_is_meant() {
        let templates = [
            "/auditLogs/signIns/{signIn-id}",
            "/auditLogs/signIns/confirmCompromised",
            "/users/{user-id}",
            "/users/{user-id}/messages",
            "/traces/{trace-id}/getDetails(address='{address}')",
            "/servicePrincipals/{servicePrincipal-id}",
        ]
        .map(Template::new);
        let cases = [
            (
                "/auditLogs/signIns/abc",
                Some("/auditLogs/signIns/{signIn-id}"),
            ),
            (
                "/auditLogs/signIns/confirmCompromised",
                Some("/auditLogs/signIns/confirmCompromised"),
            ),
            ("/me", Some("/users/{user-id}")),
            ("/me/messages", Some("/users/{user-id}/messages")),
            ("/Users/x@y.example", Some("/users/{user-id}")),
            ("/users/$count", None),
            ("/users", None),
            (
                "/users('x@y.example')/messages",
                Some("/users/{user-id}/messages"),
            ),
            (
                "/servicePrincipals(appId='1')",
                Some("/servicePrincipals/{servicePrincipal-id}"),
            ),
            (
                "/traces/1/getDetails(address='a@b')",
                Some("/traces/{trace-id}/getDetails(address='{address}')"),
            ),
            ("/traces/1/getOther(address='a@b')", None),
        ];
        for (path, expected) in cases {
            assert_eq!(best(&templates, path), expected, "{path}");
        }
    }
}
