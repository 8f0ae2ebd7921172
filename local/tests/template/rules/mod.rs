//! What holds for every template of this bank, whatever it comes to have: each rule is a function
//! that names what breaks it.
//!
//! A rule that never complains proves nothing, so for each there are templates that break it, and it
//! alone.

mod api;
mod bounds;
mod policies;
mod releases;

use serde_json::{Value, json};

use crate::{DEFAULTS, OTHERS, deployed::Template};

/// Names what breaks the rule.
type Rule = fn(&Template) -> Vec<String>;
/// A rule, and what to plant where.
type Plant = (Rule, String, Value);

const RULES: [(&str, Rule); 24] = [
    ("routes_need_a_token", api::routes_need_a_token),
    ("the_access_log_knows_nobody", api::the_access_log_knows_nobody),
    ("methods_are_throttled", api::methods_are_throttled),
    ("the_gateway_speaks_of_problems", api::the_gateway_speaks_of_problems),
    ("the_web_acl_is_there_if_wanted", api::the_web_acl_is_there_if_wanted),
    ("policies_name_what_they_allow", policies::policies_name_what_they_allow),
    ("the_api_and_the_clock_invoke", policies::the_api_and_the_clock_invoke),
    ("every_function_has_a_role_of_its_own", policies::every_function_has_a_role_of_its_own),
    ("functions_may_do_what_they_need", policies::functions_may_do_what_they_need),
    ("who_is_told_may", policies::who_is_told_may),
    ("no_secret_is_in_an_environment", policies::no_secret_is_in_an_environment),
    ("functions_log_and_trace", bounds::functions_log_and_trace),
    ("descriptions_fit", bounds::descriptions_fit),
    ("logs_are_forgotten", bounds::logs_are_forgotten),
    ("who_waits_waits_longest", bounds::who_waits_waits_longest),
    ("connections_suffice", bounds::connections_suffice),
    ("queues_keep_what_fails", bounds::queues_keep_what_fails),
    ("calls_go_through_the_alias", releases::calls_go_through_the_alias),
    ("settings_are_released", releases::settings_are_released),
    ("releases_are_gradual", releases::releases_are_gradual),
    ("releases_are_watched", releases::releases_are_watched),
    ("retries_are_where_the_calls_are", releases::retries_are_where_the_calls_are),
    ("who_needs_the_database_reaches_it", releases::who_needs_the_database_reaches_it),
    ("the_schema_is_named", releases::the_schema_is_named),
];

#[test]
fn the_template_keeps_the_rules() {
    for template in [&*DEFAULTS, &*OTHERS] {
        for (name, rule) in RULES {
            assert_eq!(rule(template), [""; 0], "{name}");
        }
    }
}

/// Plants each, and expects the rule that is meant to complain, and no other.
fn each_breaks_its_rule(template: &Template, plants: Vec<Plant>) {
    for (meant, place, value) in plants {
        let planted = template.planted(&place, &value);
        for (name, rule) in RULES {
            let found = rule(&planted);
            let is_meant = std::ptr::fn_addr_eq(rule, meant);
            assert_eq!(!found.is_empty(), is_meant, "{name}, {value} at {place}: {found:?}");
        }
    }
}
