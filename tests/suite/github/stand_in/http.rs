//! HTTP/1.1 on this machine, on a thread of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use url::Url;

use super::{Hub, Reply};

pub struct Server {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(hub: Arc<Mutex<Hub>>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.spawn(accept(listener, hub));
            let _ = runtime.block_on(stopped);
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: std::net::TcpListener, hub: Arc<Mutex<Hub>>) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        // Somebody who hangs up at once is nobody's trouble.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, hub.clone()));
        }
    }
}

async fn serve(stream: TcpStream, hub: Arc<Mutex<Hub>>) {
    let service = service_fn(move |request| answer(request, hub.clone()));
    // A client that was killed, or one whose answer is lost on purpose.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, hub: Arc<Mutex<Hub>>) -> io::Result<Response<Full<Bytes>>> {
    let token = request.headers().get("authorization");
    let token = token.and_then(|token| token.to_str().ok()).map(str::to_owned);
    let method = request.method().to_string();
    let url = Url::parse(&format!("http://localhost{}", request.uri())).map_err(io::Error::other)?;
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    // One request at a time, as if each were one transaction.
    let reply = {
        let mut hub = hub.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        hub.reply(&method, &url, token.as_deref(), &body)
    };
    match reply {
        Reply::Answer(code, body) => Response::builder()
            .status(code)
            .header("content-type", "application/json; charset=utf-8")
            .body(Full::from(body.to_string()))
            .map_err(io::Error::other),
        Reply::Nothing => Err(io::ErrorKind::ConnectionReset.into()),
    }
}
