//! A small HTTP server for one person's browser on this machine: it answers on the loopback address alone, to whoever knows
//! the token in the address, and changes nothing. Every promise of it is kept here; what is shown comes from a [`Source`].

mod answer;
mod kept;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use answer::Site;

/// What is served, read again when it is asked for; the error is what is to be said instead.
pub trait Source: Send + Sync + 'static {
    /// What everybody is at, as JSON.
    ///
    /// # Errors
    /// What could not be read.
    fn status(&self) -> Result<String, String>;

    /// The report, as JSON.
    ///
    /// # Errors
    /// What could not be read.
    fn report(&self) -> Result<String, String>;
}

/// How many seconds the page waits before it asks again.
pub const INTERVAL: u16 = 2;
/// How long a client may take to say what it wants.
const HEADERS: Duration = Duration::from_secs(5);
/// How long it may take with all of a request and its answer.
const WHOLE: Duration = Duration::from_secs(60);
/// The most that its headers may have together, in bytes; hyper has no lower bound than this.
const HEADER_BYTES: usize = 8 * 1024;
/// How many headers there may be.
const HEADER_COUNT: usize = 64;
/// How many clients are answered at once; further ones wait.
const CLIENTS: usize = 128;
/// How long to wait where no further connection can be taken, as where too many files are open.
const AGAIN: Duration = Duration::from_millis(100);

/// A server that has its address, and answers once it is run.
pub struct Server {
    runtime: tokio::runtime::Runtime,
    listener: TcpListener,
    site: Arc<Site>,
}

impl Server {
    /// Takes a port of the loopback address, 0 for a free one.
    ///
    /// # Errors
    /// The port is taken, or the system gives no random numbers.
    pub fn bind(port: u16, source: impl Source) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = runtime.block_on(TcpListener::bind(wanted))?;
        let site = Arc::new(Site::new(listener.local_addr()?.port(), token()?, source));
        Ok(Self { runtime, listener, site })
    }

    /// Where it is: with the token, without which it tells nothing.
    pub fn address(&self) -> String {
        self.site.address()
    }

    /// Answers until the process is told to end.
    ///
    /// # Errors
    /// Signals cannot be waited for.
    pub fn run(self) -> io::Result<()> {
        let Self { runtime, listener, site } = self;
        let ended = runtime.block_on(async {
            let signal = end()?;
            tokio::spawn(accept(listener, site));
            signal.await;
            Ok(())
        });
        // What is being read just then is not waited for.
        runtime.shutdown_background();
        ended
    }
}

/// 128 bits that nobody guesses.
fn token() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn accept(listener: TcpListener, site: Arc<Site>) {
    let places = Arc::new(Semaphore::new(CLIENTS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let site = Arc::clone(&site);
                tokio::spawn(async move {
                    serve(stream, site).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// One connection with one request: who is slow costs nobody but itself, and not for long.
async fn serve(stream: TcpStream, site: Arc<Site>) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let site = Arc::clone(&site);
        async move { Ok::<Response<answer::Body>, Infallible>(site.answer(&request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .header_read_timeout(HEADERS)
        .max_buf_size(HEADER_BYTES)
        .max_headers(HEADER_COUNT)
        .serve_connection(TokioIo::new(stream), answer);
    // Neither a client that broke off nor one that was too slow is told of: there is nobody to tell.
    let _ = tokio::time::timeout(WHOLE, connection).await;
}

/// What ends when the process is told to.
fn end() -> io::Result<impl Future<Output = ()>> {
    let signals = lane_os::interrupts()?;
    let (sender, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        if signals.recv().is_ok() {
            let _ = sender.send(());
        }
    });
    Ok(async move {
        let _ = told.await;
    })
}
