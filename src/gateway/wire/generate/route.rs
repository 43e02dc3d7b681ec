//! The paths of Google's interface, which name the model and what is to be done with it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// A version of the interface, which goes on as the caller chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiVersion {
    V1,
    V1Alpha,
    V1Beta,
}

impl ApiVersion {
    const ALL: [Self; 3] = [Self::V1, Self::V1Alpha, Self::V1Beta];

    const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1Alpha => "v1alpha",
            Self::V1Beta => "v1beta",
        }
    }
}

/// What a model is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Generate,
    Stream,
    CountTokens,
}

impl Method {
    const ALL: [Self; 3] = [Self::Generate, Self::Stream, Self::CountTokens];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "generateContent",
            Self::Stream => "streamGenerateContent",
            Self::CountTokens => "countTokens",
        }
    }
}

/// A path such as `/v1beta/models/gemini-2.5-pro:streamGenerateContent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route<'p> {
    pub version: ApiVersion,
    pub method: Method,
    pub model: Cow<'p, str>,
}

impl<'p> Route<'p> {
    pub fn from_path(path: &'p str) -> Option<Self> {
        let (version, rest) = path.strip_prefix('/')?.split_once('/')?;
        let version = ApiVersion::ALL
            .into_iter()
            .find(|known| known.as_str() == version)?;
        let (model, method) = rest.strip_prefix("models/")?.rsplit_once(':')?;
        let method = Method::ALL
            .into_iter()
            .find(|known| known.as_str() == method)?;
        let model = percent_decode_str(model).decode_utf8().ok()?;
        // What leads out of the collection is no model's name.
        let is_name =
            !model.is_empty() && !model.contains(['/', '\\']) && !model.contains(char::is_control);
        is_name.then_some(Self {
            version,
            method,
            model,
        })
    }
}

/// The path at which `model` is asked.
pub fn path_of(version: ApiVersion, method: Method, model: &str) -> String {
    /// Whatever a configured name holds, it stays one segment.
    const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    let model = model.strip_prefix("models/").unwrap_or(model);
    let model = utf8_percent_encode(model, SEGMENT);
    format!("/{}/models/{model}:{}", version.as_str(), method.as_str())
}

/// Whether a query asks for a stream as server-sent events.
pub fn is_stream_of_events(query: Option<&str>) -> bool {
    let mut pairs = query.unwrap_or_default().split('&');
    pairs.any(|pair| matches!(pair, "alt=sse" | "$alt=sse" | "%24alt=sse"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_model_and_what_it_is_to_do() {
        let route =
            Route::from_path("/v1beta/models/gemini-2.5-pro:streamGenerateContent").unwrap();
        assert_eq!(
            (route.version, route.method, &*route.model),
            (ApiVersion::V1Beta, Method::Stream, "gemini-2.5-pro")
        );
        assert_eq!(
            path_of(route.version, route.method, &route.model),
            "/v1beta/models/gemini-2.5-pro:streamGenerateContent"
        );
        for path in [
            "/v1beta/models",
            "/v1beta/models/a",
            "/v1beta/models/:generateContent",
            "/v1beta/models/../x:generateContent",
            "/v1beta/models/..%2Fx:generateContent",
            "/v1beta/models/a:embedContent",
            "/v2/models/a:generateContent",
            "/v1beta/tunedModels/a:generateContent",
        ] {
            assert_eq!(Route::from_path(path), None, "{path}");
        }
    }

    #[test]
    fn a_configured_name_stays_one_segment() {
        let path = |model| path_of(ApiVersion::V1, Method::Generate, model);
        assert_eq!(path("models/a.b-c_d"), "/v1/models/a.b-c_d:generateContent");
        assert_eq!(
            path("../x?y#z"),
            "/v1/models/..%2Fx%3Fy%23z:generateContent"
        );
    }

    #[test]
    fn events_are_asked_for_in_the_query() {
        assert!(is_stream_of_events(Some("alt=sse")) && is_stream_of_events(Some("a=b&$alt=sse")));
        assert!(!is_stream_of_events(None) && !is_stream_of_events(Some("alt=json")));
    }
}
