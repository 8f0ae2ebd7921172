//! Finds the route of a request in the API's tree of resources.
//!
//! As in API Gateway, the path decides first and alone: `POST /users` does not make `GET /users` fall
//! through to `/{any}`. Paths are compared as they were sent, nothing is normalised.

use std::collections::BTreeMap;

use axum::http::Method;
use thiserror::Error;

use super::path::{Segment, matches, segment, split};
use crate::template::{ANY, Api};

/// Two paths that API Gateway would not accept side by side.
#[derive(Debug, Error, PartialEq)]
#[error("route {path}: another route has another parameter at the same place")]
pub(crate) struct RouteConflict {
    path: String,
}

/// A method of a resource.
#[derive(Debug, PartialEq)]
pub(super) struct Target {
    pub(super) function: String,
    pub(super) authorizer: Option<String>,
}

/// A path of the API and what answers there. Without methods it still hides less specific paths.
#[derive(Debug, Default)]
struct Resource {
    path: String,
    methods: BTreeMap<String, Target>,
}

/// All resources; the order of the keys puts the most specific first.
pub(super) struct RouteTable(BTreeMap<Vec<Segment>, Resource>);

/// The route of a request.
#[derive(Debug)]
pub(super) struct Found<'t> {
    pub(super) target: &'t Target,
    pub(super) resource_path: &'t str,
    /// As they were sent.
    pub(super) path_parameters: BTreeMap<String, String>,
}

impl RouteTable {
    pub(super) fn new(api: &Api) -> Result<Self, RouteConflict> {
        let mut table = Self(BTreeMap::new());
        for route in &api.routes {
            let authorizer = api.authorizer_of(route).map(str::to_owned);
            let target = Target { function: route.function.clone(), authorizer };
            table.insert(&route.method, &route.path, target)?;
        }
        Ok(table)
    }

    fn insert(&mut self, method: &str, path: &str, target: Target) -> Result<(), RouteConflict> {
        let segments: Vec<Segment> = split(path).map(segment).collect();
        for length in 1..segments.len() {
            let parent = segments.iter().take(length).cloned().collect();
            self.0.entry(parent).or_default();
        }
        let resource = self.0.entry(segments).or_default();
        path.clone_into(&mut resource.path);
        resource.methods.insert(method.to_owned(), target);
        if self.has_twin_parameters() {
            return Err(RouteConflict { path: path.to_owned() });
        }
        Ok(())
    }

    /// Whether two different parameters stand at the same place.
    fn has_twin_parameters(&self) -> bool {
        let parameters = || {
            let places = self.0.keys().filter_map(|path| path.split_last());
            places.filter(|(last, _)| !matches!(last, Segment::Static(_)))
        };
        parameters().any(|(one, before)| {
            parameters().any(|(other, also_before)| one != other && before == also_before)
        })
    }

    /// The route for a method and a path as it was sent.
    pub(super) fn find(&self, method: &Method, raw_path: &str) -> Option<Found<'_>> {
        let sent: Vec<&str> = split(raw_path).collect();
        let (resource, path_parameters) = self
            .0
            .iter()
            .find_map(|(segments, resource)| Some((resource, matches(segments, &sent)?)))?;
        let target = resource.methods.get(method.as_str()).or_else(|| resource.methods.get(ANY))?;
        Some(Found { target, resource_path: &resource.path, path_parameters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(routes: &[&str]) -> Result<RouteTable, RouteConflict> {
        let mut table = RouteTable(BTreeMap::new());
        for route in routes {
            let (method, path) = route.split_once(' ').unwrap();
            let target = Target { function: (*route).to_owned(), authorizer: None };
            table.insert(method, path, target)?;
        }
        Ok(table)
    }

    #[test]
    fn the_most_specific_path_wins_and_then_the_method() {
        let table = table(&[
            "GET /",
            "POST /users",
            "ANY /users/login",
            "GET /users/{id}",
            "GET /users/{id}/keys/{key}",
            "GET /a/b/c",
            "GET /{any}",
            "POST /files/{path+}",
        ])
        .unwrap();
        let cases = [
            ("GET", "/", Some("GET /")),
            ("POST", "/users", Some("POST /users")),
            ("GET", "/users", None),
            ("HEAD", "/users/7", None),
            ("PUT", "/users/login", Some("ANY /users/login")),
            ("GET", "/users/7", Some("GET /users/{id}")),
            ("GET", "/users/", None),
            ("GET", "/users//keys/1", None),
            ("GET", "/users/7/", None),
            ("GET", "/users/7/keys", None),
            ("GET", "/users/7/keys/a%2Fb", Some("GET /users/{id}/keys/{key}")),
            ("GET", "/users/../users", None),
            ("GET", "/else", Some("GET /{any}")),
            ("GET", "/a", None),
            ("GET", "/A", Some("GET /{any}")),
            ("POST", "/files", None),
            ("POST", "/files/", None),
            ("POST", "/files/a/b/", Some("POST /files/{path+}")),
        ];
        for (method, path, expected) in cases {
            let found = table.find(&method.parse().unwrap(), path);
            let function = found.as_ref().map(|found| found.target.function.as_str());
            assert_eq!(function, expected, "{method} {path}");
        }
    }

    #[test]
    fn path_parameters_are_left_as_they_were_sent() {
        let table = table(&["GET /files/{owner}/{path+}"]).unwrap();
        let found = table.find(&Method::GET, "/files/%C3%A4%20b/c%2Fd/e+f").unwrap();
        assert_eq!(found.resource_path, "/files/{owner}/{path+}");
        assert_eq!(found.path_parameters["owner"], "%C3%A4%20b");
        assert_eq!(found.path_parameters["path"], "c%2Fd/e+f");
    }

    #[test]
    fn a_parameter_has_one_name() {
        let conflict = RouteConflict { path: "/a/{name}/b".to_owned() };
        assert_eq!(table(&["GET /a/{id}", "GET /a/{name}/b"]).err(), Some(conflict));
        assert!(table(&["GET /a/{id}", "GET /a/{id+}"]).is_err());
        assert!(table(&["GET /a/{id}", "GET /b/{name}", "GET /a/{id}/{name}"]).is_ok());
    }
}
