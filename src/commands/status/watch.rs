//! `git lane status --watch`: the terminal around the screen. It is left as it was, however this ends.

use std::io::{IsTerminal, stdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read};
use ratatui::crossterm::{cursor, execute};

use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::cli::session;
use crate::commands::status;
use crate::commands::status::Args;
use crate::ops::Silent;
use crate::status::Status;
use crate::status::screen::{Key, Screen};
use lane_core::error::Error;
use lane_os::{INTERRUPT, SignalFlag};

/// How long a key, a signal or a new reading may go unnoticed.
const TICK: Duration = Duration::from_millis(100);

/// Shows the screen until somebody quits it.
///
/// # Errors
/// There is no terminal, or it cannot be written.
pub fn run(args: &Args, output: &Output) -> Outcome {
    if output.is_json() || !stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Error::usage(
            "--watch needs a terminal",
            "for scripts, use: git lane status --format json",
        ));
    }
    // Without a repository or a policy there is nothing to show, now or later.
    session::open(output, None)?;
    let caught = SignalFlag::new().map_err(unwritable)?;
    let (wake, woken) = channel();
    let (sender, readings) = channel();
    let interval = Duration::from_secs(args.interval.into());
    std::thread::spawn(move || read_again(&woken, &sender, interval));
    show_cursor_after_panic();
    let ended = ratatui::try_init()
        .and_then(|mut terminal| show(&mut terminal, &readings, &wake, &caught, output.color()));
    ratatui::restore();
    let signal = ended.map_err(unwritable)?;
    if let Some(signal) = signal {
        caught.end_process(signal);
    }
    Ok(0)
}

fn unwritable(error: std::io::Error) -> Error {
    Error::write(format!("the terminal could not be used: {error}"), "show it once: git lane status")
}

/// Reads everything, then again after a while, or at once when it is woken.
fn read_again(woken: &Receiver<()>, sender: &Sender<Result<Status, String>>, interval: Duration) {
    while sender.send(status::read(Silent, false).map_err(|error| error.to_string())).is_ok() {
        if woken.recv_timeout(interval) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
        while woken.try_recv().is_ok() {}
    }
}

/// The signal that ended it; `None`: a key did.
fn show(
    terminal: &mut DefaultTerminal,
    readings: &Receiver<Result<Status, String>>,
    wake: &Sender<()>,
    caught: &SignalFlag,
    color: bool,
) -> std::io::Result<Option<i32>> {
    let mut screen = Screen::default();
    screen.is_busy = true;
    let mut is_new = true;
    loop {
        if let Some(signal) = caught.signal() {
            return Ok(Some(signal));
        }
        while let Ok(reading) = readings.try_recv() {
            screen.update(reading);
            is_new = true;
        }
        if is_new {
            terminal.draw(|frame| screen.draw(frame, color))?;
            is_new = false;
        }
        if !poll(TICK)? {
            // Where the terminal disappeared without an event, there is nobody to show anything to.
            if !std::io::stdin().is_terminal() {
                return Ok(None);
            }
            continue;
        }
        is_new = true;
        let Event::Key(key) = read()? else { continue };
        match command(key) {
            Some(Command::Quit) => return Ok(None),
            Some(Command::Interrupt) => return Ok(Some(INTERRUPT)),
            Some(Command::Refresh) => {
                screen.is_busy = true;
                let _ = wake.send(());
            }
            Some(Command::Press(key)) => screen.press(key),
            None => {}
        }
    }
}

enum Command {
    Quit,
    Interrupt,
    Refresh,
    Press(Key),
}

fn command(key: KeyEvent) -> Option<Command> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Command::Interrupt);
    }
    Some(match key.code {
        KeyCode::Char('q') | KeyCode::Esc => Command::Quit,
        KeyCode::Char('r') => Command::Refresh,
        KeyCode::Char('j') | KeyCode::Down => Command::Press(Key::Down),
        KeyCode::Char('k') | KeyCode::Up => Command::Press(Key::Up),
        KeyCode::Char('g') | KeyCode::Home => Command::Press(Key::First),
        KeyCode::Char('G') | KeyCode::End => Command::Press(Key::Last),
        KeyCode::Enter => Command::Press(Key::Details),
        _ => return None,
    })
}

/// The hook of a defect ends the process at once: nothing is dropped then, and ratatui's own hook leaves the cursor hidden.
fn show_cursor_after_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let _ = execute!(stdout(), cursor::Show);
        before(info);
    }));
}
