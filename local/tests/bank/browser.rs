//! The way from the mail to the result as somebody goes it: in a browser, on a small telephone.

use std::{path::PathBuf, time::Duration};

use chromiumoxide::{
    Browser, BrowserConfig, Page,
    cdp::{
        browser_protocol::{
            log::{EnableParams, EventEntryAdded},
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
const WIDTH: u32 = 360;

/// A browser with one page, and everything that it complains of.
struct Telephone {
    browser: Browser,
    page: Page,
    complaints: mpsc::UnboundedReceiver<String>,
    profile: PathBuf,
}

impl Telephone {
    async fn switch_on() -> Self {
        let profile = std::env::temp_dir().join(format!("simplebank-{}", Uuid::new_v4()));
        let viewport =
            Viewport { width: WIDTH, height: 640, emulating_mobile: true, ..Viewport::default() };
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
        listen(page.event_listener::<EventEntryAdded>().await.unwrap(), sender.clone());
        listen(page.event_listener::<EventConsoleApiCalled>().await.unwrap(), sender.clone());
        listen(page.event_listener::<EventExceptionThrown>().await.unwrap(), sender);
        Self { browser, page, complaints, profile }
    }

    async fn open(&self, url: &str) {
        self.page.goto(url).await.unwrap();
    }

    async fn click(&self, selector: &str) {
        self.page.find_element(selector).await.unwrap().click().await.unwrap();
    }

    /// Waits until the page has an element with this text.
    async fn sees(&self, selector: &str, text: &str) {
        let seen = async {
            while self.text(selector).await.as_deref() != Some(text) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("no {selector} with {text:?}"));
    }

    /// The text of the first element that there is.
    async fn text(&self, selector: &str) -> Option<String> {
        self.page.find_element(selector).await.ok()?.inner_text().await.ok()?
    }

    async fn look(&self, expression: &str) -> Value {
        self.page.evaluate(expression).await.unwrap().into_value().unwrap()
    }

    /// Nothing is cut off or has to be scrolled to from side to side, and what can be pressed is large
    /// enough for a finger (WCAG 2.2, success criteria 1.4.10 and 2.5.8).
    async fn assert_fits(&self) {
        assert_eq!(self.look("innerWidth").await, json!(WIDTH));
        assert_eq!(
            self.look("document.documentElement.scrollWidth <= innerWidth").await,
            json!(true)
        );
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

    async fn complaints(&mut self) -> Vec<String> {
        // Whatever the browser has said before its answer to this is here by then.
        self.look("document.readyState").await;
        tokio::task::yield_now().await;
        std::iter::from_fn(|| self.complaints.try_recv().ok()).collect()
    }

    /// What the screen shows, for somebody to look at.
    async fn photograph(&self, name: &str) {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let format = ScreenshotParams::builder().format(CaptureScreenshotFormat::Png).build();
        self.page.save_screenshot(format, path).await.unwrap();
    }

    async fn switch_off(mut self) {
        self.browser.close().await.unwrap();
        self.browser.wait().await.unwrap();
        // The profile is of no use to anybody.
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

fn listen<Event: std::fmt::Debug + Send + Sync + 'static>(
    mut events: impl Stream<Item = Event> + Send + Unpin + 'static,
    complaints: mpsc::UnboundedSender<String>,
) {
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            let _ = complaints.send(format!("{event:?}"));
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
    let mut telephone = Telephone::switch_on().await;

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
