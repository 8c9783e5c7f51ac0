//! The process that tries documents: reads each as the daemon would, makes of it what the ledger
//! would be given, and forgets it. It writes nothing, anywhere, but one byte for each.
//!
//! It ends when its standard input does, also in the middle of a document: the daemon is gone then.

use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use cw_code::Tagger;
use cw_decide::process::{Reader, process_with};
use cw_model::Answer;

use super::wire::{DONE, NOT_DONE, document_of, read_frame, set_up_of};
use super::{TrialDocument, limits};
use crate::memory::READING_STACK_BYTES;
use crate::{fault, ledger};

/// What happens to the process.
enum Event {
    /// A frame came.
    Frame(Vec<u8>, Vec<u8>),
    /// The document was read, or could not be.
    Answered(u8),
    /// There will be no more frames.
    Over,
}

/// Serves until there are no more frames.
///
/// # Errors
/// The first frame is not what it must be, or the daemon does not listen.
pub fn serve(mut input: impl Read + Send + 'static, output: &mut impl Write) -> io::Result<()> {
    // What a panic says is nobody's concern here: the daemon meets it too, and survives.
    std::panic::set_hook(Box::new(|_| {}));
    let Some((head, _)) = read_frame(&mut input)? else { return Ok(()) };
    let set_up = set_up_of(&head)?;
    let memory = set_up.memory;
    let tagger = set_up.tagger().map_err(|problems| {
        io::Error::other(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })?;
    limits::apply(memory);
    answer(output, DONE)?;
    let (events, happens) = sync_channel(2);
    let frames = events.clone();
    std::thread::Builder::new().spawn(move || receive(input, &frames))?;
    work(&Arc::new(tagger), &events, &happens, output)
}

fn receive(mut input: impl Read, events: &SyncSender<Event>) {
    while let Ok(Some((head, bytes))) = read_frame(&mut input) {
        if events.send(Event::Frame(head, bytes)).is_err() {
            return;
        }
    }
    let _gone = events.send(Event::Over);
}

fn work(
    tagger: &Arc<Tagger>,
    events: &SyncSender<Event>,
    happens: &Receiver<Event>,
    output: &mut impl Write,
) -> io::Result<()> {
    while let Ok(event) = happens.recv() {
        match event {
            Event::Over => break,
            Event::Answered(byte) => answer(output, byte)?,
            Event::Frame(head, bytes) => {
                limits::begin_document();
                let (tagger, events) = (Arc::clone(tagger), events.clone());
                let reading =
                    std::thread::Builder::new().stack_size(READING_STACK_BYTES).spawn(move || {
                        let byte = document_of(&head, bytes).map_or(NOT_DONE, |document| {
                            read(document, &tagger);
                            DONE
                        });
                        let _gone = events.send(Event::Answered(byte));
                    });
                if reading.is_err() {
                    answer(output, NOT_DONE)?;
                }
            }
        }
    }
    Ok(())
}

/// Everything that the daemon does with a document, as far as it is done with memory and time alone.
fn read(TrialDocument { feed, body, state, now, pages }: TrialDocument, tagger: &Tagger) {
    // A panic ends nothing in the daemon either.
    let _survived = catch_unwind(AssertUnwindSafe(|| {
        fault::strike(&body.bytes);
        let body = Arc::unwrap_or_clone(body);
        let reader = Reader { tagger, pages: &pages };
        ledger::rehearse(&process_with(&feed, &Answer::Body(body), &state, reader, now));
    }));
}

fn answer(output: &mut impl Write, byte: u8) -> io::Result<()> {
    output.write_all(&[byte])?;
    output.flush()
}
