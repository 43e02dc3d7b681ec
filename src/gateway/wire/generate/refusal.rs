//! What Google's refusals tell in their details (google.rpc.RetryInfo, `QuotaFailure`, `ErrorInfo`).

use std::time::Duration;

use serde_json::Value;

/// The details of the error in a body, which may be the only element of an array.
fn details(body: &Value) -> impl Iterator<Item = &Value> {
    let told = body.get(0).unwrap_or(body);
    told["error"]["details"].as_array().into_iter().flatten()
}

fn is_of(detail: &Value, kind: &str) -> bool {
    detail["@type"]
        .as_str()
        .is_some_and(|name| name.rsplit('.').next() == Some(kind))
}

/// How long the caller is to wait.
pub fn retry_delay(body: &Value) -> Option<Duration> {
    let told = details(body).find(|detail| is_of(detail, "RetryInfo"))?;
    let seconds = told["retryDelay"].as_str()?.strip_suffix('s')?;
    Duration::try_from_secs_f64(seconds.parse().ok()?).ok()
}

/// Whether a day's quota is used up, which no minute's wait mends.
pub fn spent(body: &Value) -> bool {
    let failures = details(body).filter(|detail| is_of(detail, "QuotaFailure"));
    let violations =
        failures.flat_map(|failure| failure["violations"].as_array().into_iter().flatten());
    let mut ids = violations.filter_map(|violation| violation["quotaId"].as_str());
    ids.any(|id| id.contains("PerDay") || id.contains("Daily"))
}

/// Whether a 400 is about the key: Google tells so of one that it does not know, or that has expired.
pub fn is_key_rejected(body: &Value) -> bool {
    details(body).any(|detail| {
        is_of(detail, "ErrorInfo")
            && matches!(
                detail["reason"].as_str(),
                Some("API_KEY_INVALID" | "API_KEY_EXPIRED")
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(detail: &Value) -> Value {
        json!({"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED", "details": [detail]}})
    }

    #[test]
    fn details_tell_how_long_and_why() {
        let wait =
            json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"});
        assert_eq!(
            retry_delay(&refusal(&wait)),
            Some(Duration::from_millis(34_500))
        );
        assert_eq!(
            retry_delay(&json!([refusal(&wait)])),
            Some(Duration::from_millis(34_500))
        );
        let quota = |id: &str| {
            refusal(
                &json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": id}]}),
            )
        };
        assert!(spent(&quota(
            "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
        )));
        assert!(!spent(&quota(
            "GenerateRequestsPerMinutePerProjectPerModel"
        )));
        let key = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"});
        assert!(is_key_rejected(&refusal(&key)) && !is_key_rejected(&refusal(&wait)));
        assert_eq!(retry_delay(&json!("nothing")), None);
    }
}
