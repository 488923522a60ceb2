//! What a mailbox gets, and what the mail server's replies mean.

use std::sync::LazyLock;
use std::time::Duration;

use domain::details::EmailRecord;
use domain::{Details, HumanDuration, Outcome, Verdict};
use engine::Executor;
use mail_parser::{Message, MessageParser};
use serde_json::{Value, json};
use targets::{Config, Targets};
use tokio_util::sync::CancellationToken;

use crate::common::{call, call_of, execute, failure, with};
use crate::smtp::{MailServer, Reaction, Tls, good};

fn mailing(url: &str) -> Targets {
    let mail_server = Some(url.parse().unwrap());
    let mail_from = Some("Scheduler <jobs@example.com>".parse().unwrap());
    with(Config { mail_server, mail_from, ..Config::default() })
}

fn email(more: Value) -> Value {
    let mut target =
        json!({"type": "email", "to": ["ada@example.com"], "subject": "Report", "text": "All is well."});
    let Value::Object(more) = more else { panic!("not an object: {more}") };
    target.as_object_mut().unwrap().extend(more);
    target
}

fn record(outcome: &Outcome) -> &EmailRecord {
    let Some(Details::Email(record)) = &outcome.details else { panic!("no record: {outcome:?}") };
    record
}

fn parse(data: &[u8]) -> Message<'_> {
    MessageParser::default().parse(data).unwrap()
}

#[tokio::test]
async fn a_letter_says_who_sent_it_and_why() {
    let server = MailServer::start(Tls::Start, &["AUTH PLAIN LOGIN"], good).await;
    let targets = mailing(&server.url("jobs%40example.com:right@", ""));
    let target = email(json!({
        "to": ["ada@example.com", "\"Lovelace, Ada\" <ada@home.example>"], "cc": ["Grüße <c@example.com>"],
        "bcc": ["hidden@example.com"], "reply_to": "Ops <ops@example.com>",
        "subject": "Bericht für {{job.name}} – {{scheduled_for}} 🦀",
        "text": "Run {{run.id}}, try {{attempt}}\n.\nfür Ada\n..\nend", "html": "<p>{{job.name}}</p>"
    }));
    let call = call_of("<b>\"A\" & 'B'</b>", target);
    let outcome = targets.execute(&call, CancellationToken::new()).await;

    assert_eq!(outcome.verdict, Verdict::Succeeded);
    let letter = server.only();
    assert!(letter.encrypted);
    assert_eq!(letter.hello, "example.com");
    assert_eq!(letter.login, Some(("jobs@example.com".to_owned(), "right".to_owned())));
    assert_eq!(letter.from, "jobs@example.com");
    let recipients = ["ada@example.com", "ada@home.example", "c@example.com", "hidden@example.com"];
    assert_eq!(letter.to, recipients);

    let run_id = call.run_id.to_string();
    let message = parse(&letter.data);
    let subject = "Bericht für <b>\"A\" & 'B'</b> – 2026-11-24T01:00:00Z 🦀";
    assert_eq!(message.subject(), Some(subject));
    assert_eq!(message.message_id(), Some(format!("{run_id}@example.com").as_str()));
    assert_eq!(message.date().unwrap().to_rfc3339(), "2026-11-24T01:00:02Z");
    let shown = |address: Option<&mail_parser::Address<'_>>| -> Vec<(Option<String>, String)> {
        let addresses = address.unwrap().iter();
        addresses
            .map(|it| (it.name.as_ref().map(ToString::to_string), it.address.as_ref().unwrap().to_string()))
            .collect()
    };
    let named = |name: &str, address: &str| (Some(name.to_owned()), address.to_owned());
    assert_eq!(shown(message.from()), [named("Scheduler", "jobs@example.com")]);
    assert_eq!(
        shown(message.to()),
        [(None, "ada@example.com".to_owned()), named("Lovelace, Ada", "ada@home.example")]
    );
    assert_eq!(shown(message.cc()), [named("Grüße", "c@example.com")]);
    assert_eq!(shown(message.reply_to()), [named("Ops", "ops@example.com")]);
    assert!(message.bcc().is_none() && !letter.data.windows(6).any(|it| it == b"hidden"));
    for (name, expected) in [
        ("Auto-Submitted", "auto-generated"),
        ("X-Scheduler-Run-Id", run_id.as_str()),
        ("X-Scheduler-Job-Id", &call.job_id.to_string()),
        ("X-Scheduler-Job-Name", "<b>\"A\" & 'B'</b>"),
        ("X-Scheduler-Attempt", "2"),
        ("X-Scheduler-Scheduled-For", "2026-11-24T01:00:00Z"),
    ] {
        assert_eq!(message.header(name).unwrap().as_text(), Some(expected), "{name}");
    }
    let text = message.body_text(0).unwrap().replace("\r\n", "\n");
    assert_eq!(text.trim_end(), format!("Run {run_id}, try 2\n.\nfür Ada\n..\nend"));
    let html = message.body_html(0).unwrap();
    assert_eq!(html.trim_end(), "<p>&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/b&gt;</p>");

    let record = record(&outcome);
    assert_eq!(record.recipients, recipients);
    assert_eq!(record.subject, subject);
    assert_eq!(record.message_id, format!("<{run_id}@example.com>"));
    assert_eq!(record.reply.as_deref(), Some("250 2.0.0 queued as 4711"));
    assert_eq!((outcome.request, outcome.response), (None, None));
}

#[tokio::test]
async fn the_same_run_has_the_same_message_id_and_html_may_stand_alone() {
    let server = MailServer::start(Tls::Implicit, &[], good).await;
    let targets = mailing(&server.url("", ""));
    let mut call = call(email(json!({"text": null, "html": "<p>ü</p>", "from": "other@sender.example"})));
    for attempt in [1, 2] {
        call.attempt = attempt;
        assert_eq!(targets.execute(&call, CancellationToken::new()).await.verdict, Verdict::Succeeded);
    }
    let delivered = server.delivered();
    let ids: Vec<_> = delivered.iter().map(|it| parse(&it.data).message_id().unwrap().to_owned()).collect();
    assert_eq!(ids[0], format!("{}@sender.example", call.run_id));
    assert_eq!(ids[0], ids[1]);
    assert!(delivered[0].encrypted && delivered[0].from == "other@sender.example");
    assert_eq!(parse(&delivered[0].data).body_html(0).unwrap().trim_end(), "<p>ü</p>");
}

#[tokio::test]
async fn nothing_that_is_filled_in_ends_a_header_or_the_message() {
    let server = MailServer::start(Tls::None, &[], good).await;
    let targets = mailing(&server.url("", "&tls=none"));
    let name = "a\r\nBcc: evil@example.com\r\n\r\n.\r\nQUIT\u{2028}\0";
    let text = "one\r.\rtwo\n.\nMAIL FROM:<x>\r\n.\r\nthree {{job.name}}";
    let target = email(json!({"subject": "{{job.name}}", "text": text, "to": ["\"Q\" <q@example.com>"]}));
    let outcome = targets.execute(&call_of(name, target), CancellationToken::new()).await;
    assert_eq!(outcome.verdict, Verdict::Succeeded);
    let letter = server.only();
    assert_eq!(letter.to, ["q@example.com"]);
    let message = parse(&letter.data);
    assert!(message.bcc().is_none());
    assert!(message.subject().unwrap().starts_with("a  Bcc: evil@example.com"));
    let text = message.body_text(0).unwrap().replace("\r\n", "\n");
    assert!(text.starts_with("one\n.\ntwo\n.\nMAIL FROM:<x>\n.\nthree a\nBcc: "), "{text:?}");
}

#[tokio::test]
async fn domains_of_other_scripts_and_only_hidden_recipients() {
    let server = MailServer::start(Tls::None, &[], good).await;
    let targets = mailing(&server.url("", "&tls=none"));
    let to =
        json!({"to": [], "bcc": ["a@bücher.example"], "subject": "x".repeat(500), "text": "y".repeat(5000)});
    assert_eq!(execute(&targets, email(to)).await.verdict, Verdict::Succeeded);
    assert_eq!(server.only().to, ["a@xn--bcher-kva.example"]);
    assert_eq!(parse(&server.only().data).subject().unwrap().len(), 500);

    let outcome = execute(&targets, email(json!({"to": ["zoë@example.com"]}))).await;
    let message = "the mail server takes only addresses in ASCII (it lacks SMTPUTF8)";
    assert_eq!(failure(&outcome), ("invalid_request", message, false, None));

    let modern = MailServer::start(Tls::None, &["SMTPUTF8", "8BITMIME"], good).await;
    let outcome =
        execute(&mailing(&modern.url("", "&tls=none")), email(json!({"to": ["zoë@example.com"]}))).await;
    assert_eq!(outcome.verdict, Verdict::Succeeded);
    assert_eq!(modern.only().to, ["zoë@example.com"]);
}

#[tokio::test]
async fn logging_in() {
    for offers in [&["AUTH PLAIN"][..], &["AUTH LOGIN"], &["AUTH=LOGIN PLAIN", "AUTH LOGIN PLAIN"]] {
        let server = MailServer::start(Tls::Start, offers, good).await;
        let outcome = execute(&mailing(&server.url("user:right@", "")), email(json!({}))).await;
        assert_eq!(outcome.verdict, Verdict::Succeeded, "{offers:?}");
        assert_eq!(server.only().login, Some(("user".to_owned(), "right".to_owned())));

        let outcome = execute(&mailing(&server.url("user:wr0ng@", "")), email(json!({}))).await;
        let message = "the mail server refused the user name and password of SCHEDULER_SMTP_URL: 535 5.7.8 bad credentials";
        assert_eq!(failure(&outcome), ("smtp_refused", message, false, None));
        assert!(!format!("{outcome:?}").contains("wr0ng"));
    }
}

#[tokio::test]
async fn without_tls_nothing_is_sent_unless_that_was_asked_for() {
    let server = MailServer::start(Tls::None, &["AUTH PLAIN"], good).await;
    let outcome = execute(&mailing(&server.url("user:right@", "")), email(json!({}))).await;
    let (code, message, retryable, _) = failure(&outcome);
    assert_eq!((code, retryable), ("tls", false));
    assert!(message.contains("offers no STARTTLS"), "{message}");
    assert!(server.delivered().is_empty());
    for tls in ["none", "opportunistic"] {
        let outcome =
            execute(&mailing(&server.url("user:right@", &format!("&tls={tls}"))), email(json!({}))).await;
        assert_eq!(outcome.verdict, Verdict::Succeeded);
    }
    assert!(server.delivered().iter().all(|letter| !letter.encrypted));

    let server = MailServer::start(Tls::Start, &[], good).await;
    execute(&mailing(&server.url("", "&tls=opportunistic")), email(json!({}))).await;
    assert!(server.only().encrypted);
}

#[tokio::test]
async fn certificates_are_verified() {
    for tls in [Tls::Start, Tls::Implicit] {
        let server = MailServer::start(tls, &[], good).await;
        let untrusted = server.url("", "").split('?').next().unwrap().to_owned();
        let outcome = execute(&mailing(&untrusted), email(json!({}))).await;
        let message = format!(
            "no secure connection to {}: its certificate was not issued by an authority known here",
            server.address
        );
        assert_eq!(failure(&outcome), ("tls", message.as_str(), true, None));
        assert!(server.delivered().is_empty());
    }
    let plain = MailServer::start(Tls::None, &[], good).await;
    let outcome = execute(&mailing(&format!("smtps://{}", plain.address)), email(json!({}))).await;
    let message = format!("no secure connection to {}: it does not speak TLS", plain.address);
    assert_eq!(failure(&outcome), ("tls", message.as_str(), true, None));
}

/// What becomes of a letter to a server on which `mischief` was done, and how often it arrived all the same.
async fn with_mischief(mischief: fn(&str) -> Option<Reaction>) -> (Outcome, usize) {
    let server = MailServer::start(Tls::None, &[], mischief).await;
    let target = email(json!({"to": ["ada@example.com", "bob@example.com"]}));
    let outcome = execute(&mailing(&server.url("", "&tls=none")), target).await;
    (outcome, server.delivered().len())
}

#[tokio::test]
async fn what_the_server_says_decides() {
    use Reaction::Say;
    type Mischief = fn(&str) -> Option<Reaction>;
    let cases: [(Mischief, &str, &str, bool); 6] = [
        (
            |said| said.starts_with("RCPT TO:<bob").then_some(Say("550 5.1.1 no such user")),
            "smtp_refused",
            "the mail server refused the recipient bob@example.com: 550 5.1.1 no such user",
            false,
        ),
        (
            |said| {
                said.starts_with("RCPT").then_some(Say("451-4.7.1 greylisted\r\n451 4.7.1 come back later"))
            },
            "smtp_deferred",
            "the mail server puts off the recipient ada@example.com: 451 4.7.1 greylisted come back later",
            true,
        ),
        (
            |said| (said == "greeting").then_some(Say("421 4.3.2 shutting down")),
            "smtp_deferred",
            "the mail server puts off the connection: 421 4.3.2 shutting down",
            true,
        ),
        (
            |said| (said == "greeting").then_some(Say("554 no SMTP for you")),
            "smtp_refused",
            "the mail server refused the connection: 554 no SMTP for you",
            false,
        ),
        (
            |said| said.starts_with("MAIL").then_some(Say("553 5.7.1 not your address")),
            "smtp_refused",
            "the mail server refused the sender jobs@example.com: 553 5.7.1 not your address",
            false,
        ),
        (
            |said| (said == ".").then_some(Say("552 5.3.4 too big")),
            "smtp_refused",
            "the mail server refused the message: 552 5.3.4 too big",
            false,
        ),
    ];
    for (mischief, code, message, retryable) in cases {
        let (outcome, _) = with_mischief(mischief).await;
        assert_eq!(failure(&outcome), (code, message, retryable, None));
        let reply = record(&outcome).reply.clone().unwrap();
        assert!(message.ends_with(&reply), "{reply}");
    }
}

#[tokio::test]
async fn a_server_that_breaks_off_is_asked_again() {
    for mischief in [
        (|said: &str| (said == ".").then_some(Reaction::Drop)) as fn(&str) -> Option<Reaction>,
        |said| said.starts_with("RCPT").then_some(Reaction::Drop),
        |said| (said == "greeting").then_some(Reaction::Drop),
        |said| (said == "greeting").then_some(Reaction::Say("SSH-2.0-OpenSSH_9.2")),
    ] {
        let (outcome, _) = with_mischief(mischief).await;
        let (code, message, retryable, _) = failure(&outcome);
        assert_eq!((code, retryable), ("protocol", true), "{message}");
    }
    let (outcome, delivered) = with_mischief(|said| (said == "QUIT").then_some(Reaction::Hang)).await;
    assert_eq!((outcome.verdict, delivered), (Verdict::Succeeded, 1));
}

#[tokio::test]
async fn a_server_that_hangs_is_left_when_the_call_is_cancelled() {
    for mischief in [
        (|said: &str| (said == "greeting").then_some(Reaction::Hang)) as fn(&str) -> Option<Reaction>,
        |said| said.starts_with("RCPT").then_some(Reaction::Hang),
        |said| (said == ".").then_some(Reaction::Hang),
    ] {
        let server = MailServer::start(Tls::None, &[], mischief).await;
        let targets = mailing(&server.url("", "&tls=none"));
        let cancel = CancellationToken::new();
        let trigger = cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            trigger.cancel();
        });
        let mut call = call(email(json!({})));
        call.timeout = HumanDuration::from_secs(1);
        let outcome =
            tokio::time::timeout(Duration::from_secs(5), targets.execute(&call, cancel)).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Cancelled);
        assert_eq!(record(&outcome).recipients, ["ada@example.com"]);
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn replies_are_kept_as_text_and_not_for_ever() {
    fn endless(said: &str) -> Option<Reaction> {
        static REPLY: LazyLock<String> = LazyLock::new(|| {
            format!("550-\u{1b}[31m\r\n{}550 .", format!("550-{}\r\n", "ü".repeat(200)).repeat(20))
        });
        (said == ".").then(|| Reaction::Say(&REPLY))
    }
    let (outcome, _) = with_mischief(endless).await;
    let reply = record(&outcome).reply.clone().unwrap();
    assert!(reply.starts_with("550  [31m üüü"), "{reply}");
    assert!((1000..=1024).contains(&reply.len()), "{}", reply.len());
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let targets = mailing(&format!("smtp://{address}"));
    let outcome = execute(&targets, email(json!({}))).await;
    let message = format!("no connection to {address}: it was refused; is the target running?");
    assert_eq!(failure(&outcome), ("connect", message.as_str(), true, None));

    let outcome = execute(&mailing("smtp://nowhere.invalid"), email(json!({}))).await;
    let message = "the mail server's name nowhere.invalid does not resolve";
    assert_eq!(failure(&outcome), ("dns", message, true, None));
}

#[tokio::test]
async fn without_settings_the_remedy_is_named() {
    let outcome = execute(&with(Config::default()), email(json!({}))).await;
    let message = "no mail server is configured; an operator can name one with SCHEDULER_SMTP_URL";
    assert_eq!(failure(&outcome), ("email_not_configured", message, false, None));

    let mail_server = Some("smtp://localhost".parse().unwrap());
    let outcome = execute(&with(Config { mail_server, ..Config::default() }), email(json!({}))).await;
    let (code, message, ..) = failure(&outcome);
    assert_eq!(code, "email_not_configured");
    assert!(message.contains("SCHEDULER_SMTP_FROM"), "{message}");
}

#[tokio::test]
async fn a_probe_logs_in_and_sends_nothing() {
    let server = MailServer::start(Tls::Start, &["AUTH PLAIN"], good).await;
    let probe = async |login: &str| targets::email::probe(&server.url(login, "").parse().unwrap()).await;
    assert_eq!(probe("user:right@").await, Ok(()));
    assert!(probe("user:wrong@").await.unwrap_err().contains("535"));
    assert!(server.delivered().is_empty());
}
