//! A browser, and the way from the mail to the result as somebody goes it on a small telephone.

use std::{path::PathBuf, sync::Arc, time::Duration};

use chromiumoxide::{
    Browser, BrowserConfig, Element, Page,
    cdp::{
        browser_protocol::{
            log::{EnableParams, EventEntryAdded},
            network::EventRequestWillBeSent,
            page::CaptureScreenshotFormat,
        },
        js_protocol::runtime::{EventConsoleApiCalled, EventExceptionThrown},
    },
    handler::viewport::Viewport,
    page::ScreenshotParams,
};
use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::timeout};
use uuid::Uuid;

use super::mail::{MailingBank, email};

const PATIENCE: Duration = Duration::from_secs(30);
/// In CSS pixels, as on the smallest telephones in use.
pub(super) const TELEPHONE: (u32, u32) = (360, 640);
pub(super) const DESK: (u32, u32) = (1280, 800);

/// A browser with one page, everything that it complains of, and every address that it asked.
pub(super) struct Screen {
    browser: Browser,
    pub(super) page: Page,
    width: u32,
    complaints: mpsc::UnboundedReceiver<String>,
    requests: mpsc::UnboundedReceiver<String>,
    profile: PathBuf,
}

impl Screen {
    pub(super) async fn switch_on((width, height): (u32, u32)) -> Self {
        let profile = std::env::temp_dir().join(format!("simplebank-{}", Uuid::new_v4()));
        let emulating_mobile = (width, height) == TELEPHONE;
        let viewport = Viewport { width, height, emulating_mobile, ..Viewport::default() };
        let config = BrowserConfig::builder()
            // Root has no sandbox, and what is opened is our own.
            .no_sandbox()
            .new_headless_mode()
            .user_data_dir(&profile)
            .viewport(viewport)
            .args(["--disable-quic", "--disable-component-update"])
            .build()
            .expect("Chromium: run the tests by `make test`");
        let (browser, mut handler) = Browser::launch(config).await.unwrap();
        tokio::spawn(async move { while handler.next().await.is_some() {} });
        let page = browser.new_page("about:blank").await.unwrap();
        page.execute(EnableParams::default()).await.unwrap();
        let (sender, complaints) = mpsc::unbounded_channel();
        listen(page.event_listener::<EventEntryAdded>().await.unwrap(), sender.clone(), print);
        listen(
            page.event_listener::<EventConsoleApiCalled>().await.unwrap(),
            sender.clone(),
            print,
        );
        listen(page.event_listener::<EventExceptionThrown>().await.unwrap(), sender, print);
        let (sender, requests) = mpsc::unbounded_channel();
        let address = |event: &EventRequestWillBeSent| event.request.url.clone();
        listen(page.event_listener().await.unwrap(), sender, address);
        Self { browser, page, width, complaints, requests, profile }
    }

    pub(super) async fn open(&self, url: &str) {
        self.page.goto(url).await.unwrap();
    }

    pub(super) async fn click(&self, selector: &str) {
        self.scroll_to(selector).await.click().await.unwrap();
    }

    /// Where nothing that stays at the screen's edge is before it.
    pub(super) async fn scroll_to(&self, selector: &str) -> Element {
        let element = self.page.find_element(selector).await.unwrap();
        let scroll = "function() { this.scrollIntoView({ block: 'center' }); }";
        element.call_js_fn(scroll, false).await.unwrap();
        element
    }

    /// Waits until the page has an element with this text.
    pub(super) async fn sees(&self, selector: &str, text: &str) {
        let seen = async {
            while self.text(selector).await.as_deref() != Some(text) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("no {selector} with {text:?}"));
    }

    /// The text of the first element that there is.
    pub(super) async fn text(&self, selector: &str) -> Option<String> {
        self.page.find_element(selector).await.ok()?.inner_text().await.ok()?
    }

    pub(super) async fn look(&self, expression: &str) -> Value {
        self.page.evaluate(expression).await.unwrap().into_value().unwrap()
    }

    /// Nothing has to be scrolled to from side to side (WCAG 2.2, success criterion 1.4.10).
    pub(super) async fn assert_is_as_wide_as_the_screen(&self) {
        let widths = self.look("[innerWidth, document.documentElement.scrollWidth]").await;
        assert_eq!(widths, json!([self.width, self.width]));
    }

    /// Nor is anything cut off, and what can be pressed is large enough for a finger (2.5.8).
    async fn assert_fits(&self) {
        self.assert_is_as_wide_as_the_screen().await;
        let boxes = self
            .look(
                "[...document.querySelectorAll('button')].map(button => {
                     const {left, right, height} = button.getBoundingClientRect();
                     return left >= 0 && right <= innerWidth && height >= 44;
                 })",
            )
            .await;
        assert!(boxes.as_array().unwrap().iter().all(|fits| *fits == json!(true)), "{boxes}");
        assert_eq!(self.look("document.documentElement.lang").await, json!("en"));
        assert_eq!(self.look("document.querySelectorAll('h1').length").await, json!(1));
        assert_eq!(self.look("document.title != ''").await, json!(true));
    }

    pub(super) async fn complaints(&mut self) -> Vec<String> {
        // Whatever the browser has said before its answer to this is here by then.
        self.look("document.readyState").await;
        tokio::task::yield_now().await;
        std::iter::from_fn(|| self.complaints.try_recv().ok()).collect()
    }

    /// Every address that was asked since the last time.
    pub(super) async fn requests(&mut self) -> Vec<String> {
        self.look("document.readyState").await;
        tokio::task::yield_now().await;
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }

    /// What the screen shows, for somebody to look at.
    pub(super) async fn photograph(&self, name: &str) {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let format = ScreenshotParams::builder().format(CaptureScreenshotFormat::Png).build();
        self.page.save_screenshot(format, path).await.unwrap();
    }

    pub(super) async fn switch_off(mut self) {
        self.browser.close().await.unwrap();
        self.browser.wait().await.unwrap();
        // The profile is of no use to anybody.
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

fn print(event: &impl std::fmt::Debug) -> String {
    format!("{event:?}")
}

fn listen<Event: Send + Sync + 'static>(
    mut events: impl Stream<Item = Arc<Event>> + Send + Unpin + 'static,
    heard: mpsc::UnboundedSender<String>,
    told: fn(&Event) -> String,
) {
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            let _ = heard.send(told(&event));
        }
    });
}

#[tokio::test]
async fn somebody_follows_the_link_and_presses_the_button() {
    let post = MailingBank::start().await;
    let alice = post.bank.newcomer().await;
    let mailed = post.wait_for_mail(&email(&alice.username), 1).await;
    let is_verified =
        async || alice.get(&alice.path()).await.body["is_email_verified"] == json!(true);
    let mut telephone = Screen::switch_on(TELEPHONE).await;

    // By way of the inbox for one machine.
    let inbox = format!("{}/_local/mail?to={}", post.bank.gateway.url, email(&alice.username));
    telephone.open(&inbox).await;
    telephone.assert_fits().await;
    telephone.photograph("inbox.png").await;
    telephone.click("a[href^='/_local/mail/']").await;
    telephone.sees("pre a", &mailed.link).await;
    telephone.assert_fits().await;
    telephone.photograph("mail.png").await;
    telephone.click("pre a").await;

    telephone.sees("button", "Confirm").await;
    telephone.assert_fits().await;
    telephone.photograph("confirm.png").await;
    // The style was let in.
    assert_eq!(telephone.look("getComputedStyle(document.body).margin").await, json!("0px"));
    assert!(!is_verified().await, "nothing has happened so far");
    telephone.click("button").await;
    telephone.sees("h1", "Your e-mail address is confirmed").await;
    telephone.assert_fits().await;
    telephone.photograph("confirmed.png").await;
    assert!(is_verified().await);
    let address = telephone.look("location.search").await;
    assert_eq!(address, json!(""), "the code is in no address any more");
    assert_eq!(telephone.complaints().await, [""; 0], "nothing was refused or missing");

    telephone.open(&mailed.link).await;
    telephone.click("button").await;
    telephone.sees("h1", "This link is of no use any more").await;
    telephone.assert_fits().await;
    telephone.photograph("spent.png").await;
    let complaints = telephone.complaints().await.concat();
    assert!(complaints.contains("410"), "it would have been heard: {complaints}");
    telephone.switch_off().await;
}
