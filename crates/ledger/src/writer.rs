//! The one thread that writes. Whatever waits when it is free goes into one transaction: many calls share one sync of the
//! disk, and a lone call waits for nobody.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::ballast::Ballast;
use crate::blob;
use crate::error::LedgerError;
use crate::lock::{self, Holder, Lock};
use crate::schema;
use crate::session::{Begin, Finish, Session};

/// The most jobs in one transaction: bounds what the log grows by at once.
const GROUP: usize = 1024;

/// A piece of work on the database that waits for its commit.
type Work = Box<dyn FnMut(&mut Session) -> Result<(), LedgerError> + Send>;

/// What the thread is asked to do, and whom to tell once it is durable.
enum Job {
    Begin(Begin, oneshot::Sender<Result<i64, LedgerError>>),
    Finish(Box<Finish>, oneshot::Sender<Result<i64, LedgerError>>),
    Work(Work, SyncSender<Result<(), LedgerError>>),
}

/// The thread's handle: owns the lock, and waits for the last commit when it is dropped.
pub(crate) struct Writer {
    folder: PathBuf,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    _lock: Lock,
}

impl Writer {
    /// Takes the folder's lock, opens the database and starts the thread.
    pub(crate) fn start(folder: &Path, program: &str) -> Result<Writer, LedgerError> {
        let holder = Holder::this(program);
        let lock = lock::take(folder, &holder)?;
        blob::sweep(folder);
        let ballast = Ballast::take(folder)?;
        let connection = schema::open_writer(folder, schema::MIGRATIONS)?;
        let session = Session::begin(folder, connection, &holder)?;
        let (jobs, inbox) = mpsc::channel();
        let mut thread = Thread { session, ballast, full: None };
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || thread.run(&inbox))
            .map_err(|error| LedgerError::from_io(folder, "starting the writing thread", &error))?;
        Ok(Writer { folder: folder.to_path_buf(), jobs: Some(jobs), thread: Some(thread), _lock: lock })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes down that a call begins; resolves once it is durable.
    pub(crate) async fn begin(&self, begin: Begin) -> Result<i64, LedgerError> {
        let (tell, told) = oneshot::channel();
        self.send(Job::Begin(begin, tell));
        told.await.unwrap_or_else(|_gone| Err(self.stopped()))
    }

    /// Writes down how a call ended; resolves once it is durable.
    pub(crate) async fn finish(&self, finish: Finish) -> Result<i64, LedgerError> {
        let (tell, told) = oneshot::channel();
        self.send(Job::Finish(Box::new(finish), tell));
        told.await.unwrap_or_else(|_gone| Err(self.stopped()))
    }

    /// Does some work in a transaction and blocks until it is durable. The work may be done a second time, after a
    /// failed commit; if it fails itself, nothing of it stays.
    pub(crate) fn work<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Session) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (tell, told) = mpsc::sync_channel(1);
        let (give, given) = mpsc::channel();
        let job: Work = Box::new(move |session| {
            let value = work(session)?;
            // The receiver lives until the answer below is there.
            let _kept = give.send(value);
            Ok(())
        });
        self.send(Job::Work(job, tell));
        told.recv().unwrap_or_else(|_gone| Err(self.stopped()))?;
        // The last value is that of the transaction which was committed.
        given.try_iter().last().ok_or_else(|| self.stopped())
    }

    fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // If the thread is gone, the job's own channel closes, and that is what its sender sees.
            let _closed = jobs.send(job);
        }
    }

    fn stopped(&self) -> LedgerError {
        LedgerError::Store {
            path: self.folder.clone(),
            what: "writing",
            detail: "the writing thread has stopped; what was told to be written is written".to_owned(),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was told to whoever waited for it.
            let _panicked = thread.join();
        }
    }
}

/// What the thread owns.
struct Thread {
    session: Session,
    ballast: Ballast,
    /// Set when the disk ran full: answers are still written, from the space kept aside, but no call begins any more.
    full: Option<LedgerError>,
}

impl Thread {
    fn run(&mut self, inbox: &Receiver<Job>) {
        while let Ok(first) = inbox.recv() {
            let mut group = vec![first];
            group.extend(inbox.try_iter().take(GROUP - 1));
            self.commit(group);
        }
        self.session.end();
    }

    /// Does a group of jobs in one transaction and tells each how it went.
    fn commit(&mut self, mut group: Vec<Job>) {
        let mut done = self.attempt(&mut group);
        if let Err(error @ LedgerError::Full { .. }) = &done
            && self.full.is_none()
        {
            self.full = Some(error.clone());
            self.ballast.release();
            done = self.attempt(&mut group);
        }
        match done {
            Ok(results) => group.into_iter().zip(results).for_each(|(job, result)| tell(job, result)),
            Err(error) => group.into_iter().for_each(|job| tell(job, Err(error.clone()))),
        }
    }

    /// One try at a group: the result of each job, or why nothing of the whole group was written.
    fn attempt(&mut self, group: &mut [Job]) -> Result<Vec<Result<i64, LedgerError>>, LedgerError> {
        self.session.open_transaction()?;
        let mut results = Vec::with_capacity(group.len());
        for job in group {
            let result = match (job, &self.full) {
                (Job::Begin(..), Some(full)) => Err(full.clone()),
                (Job::Begin(begin, _), None) => self.session.begin_attempt(begin),
                (Job::Finish(finish, _), _) => self.session.finish_attempt(finish),
                (Job::Work(work, _), _) => self.session.apart(work).map(|()| 0),
            };
            // A failure that SQLite answers by rolling back takes the whole group with it.
            if self.session.lost_transaction() {
                let error = result.err().unwrap_or_else(|| self.session.lost_error());
                self.session.roll_back();
                return Err(error);
            }
            if let Err(error) = &result
                && error.is_disk()
                && self.full.is_none()
            {
                self.session.roll_back();
                return Err(error.clone());
            }
            results.push(result);
        }
        self.session.commit().inspect_err(|_| self.session.roll_back())?;
        Ok(results)
    }
}

/// Tells whoever waits. Somebody who gave up waiting (a dropped future) is no error: the row stands.
fn tell(job: Job, result: Result<i64, LedgerError>) {
    match job {
        Job::Begin(_, tell) | Job::Finish(_, tell) => {
            let _gave_up = tell.send(result);
        }
        Job::Work(_, tell) => {
            let _gave_up = tell.send(result.map(|_| ()));
        }
    }
}
