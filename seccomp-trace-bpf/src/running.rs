//! Targets that run already: processes, cgroups, containers.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;
use seccomp_trace_core::{Armed, Phase, RunningSpec, Tgid};

use crate::access::{self, AccessError};
use crate::launch::pidfd_open;
use crate::seed::{Kind, Seeder};
use crate::session::{BpfSession, Parts};
use crate::shared::cgroup::Own;
use crate::shared::proc;
use crate::signals::{self, Relay};
use crate::slot::SlotGuard;
use crate::wire::{CgroupId, Entrance, NewTarget};
use crate::{Error, Tracer, cgroups};

/// A target with everything looked up that names it.
struct Found<'a> {
    spec: &'a RunningSpec,
    processes: Vec<(Tgid, OwnedFd)>,
    cgroup: Option<CgroupId>,
    /// Which cgroups of a container are its own.
    own: Option<Own>,
}

impl<'a> Found<'a> {
    fn look_up(spec: &'a RunningSpec) -> Result<Self, Error> {
        let mut pids = spec.pids.clone();
        pids.sort_unstable();
        pids.dedup();
        let open = |pid: Tgid| {
            let raw = i32::try_from(pid.0).map_err(|_| no_process(pid))?;
            if proc::is_kernel_thread(pid.0) {
                let target = format!("process {pid}");
                return Err(Error::Access { target, source: AccessError::KernelThread });
            }
            if let Some(leader) = proc::leader(pid.0)
                && leader != pid.0
            {
                return Err(Error::Thread { tid: pid.0, pid: leader });
            }
            let pidfd = pidfd_open(Pid::from_raw(raw));
            pidfd.map(|fd| (pid, fd)).map_err(|source| Error::NoProcess { pid: pid.0, source })
        };
        Ok(Self {
            spec,
            processes: pids.into_iter().map(open).collect::<Result<_, _>>()?,
            cgroup: spec.cgroup.as_deref().map(cgroups::find).transpose()?,
            own: spec
                .container
                .as_ref()
                .and(spec.pids.first())
                .map(|init| Own::of_process(*init))
                .transpose()?,
        })
    }

    /// Refuses what this process might not attach to with ptrace.
    fn check_access(&self) -> Result<(), Error> {
        let denied = |target: String| move |source| Error::Access { target, source };
        if let Some(cgroup) = &self.spec.cgroup {
            access::may_attach_to_anybody().map_err(denied(format!("the cgroup {}", cgroup.display())))?;
        }
        if let Some(container) = &self.spec.container {
            access::may_attach_to_anybody().map_err(denied(format!("container {}", container.id)))?;
        }
        for (pid, pidfd) in &self.processes {
            access::may_attach(*pid).map_err(denied(format!("process {pid}")))?;
            // Was it still there, the answer was about it and not about another of the same number.
            if has_ended(pidfd)? {
                return Err(no_process(*pid));
            }
        }
        Ok(())
    }

    fn kind(&self) -> Kind {
        match (&self.own, self.cgroup) {
            (Some(_), _) => Kind::RunningContainer,
            (None, Some(_)) => Kind::Cgroup,
            (None, None) => Kind::Process,
        }
    }
}

impl Tracer {
    pub(crate) fn observe_running(&self, spec: &RunningSpec) -> Result<BpfSession, Error> {
        let found = Found::look_up(spec)?;
        if found.kind() != Kind::Process && !self.cgroups {
            return Err(Error::WithoutCgroups);
        }
        if self.ptrace_rule {
            found.check_access()?;
        }
        let (slot, generation) = self.shared.take_slot(&self.target)?;
        let mut guard = SlotGuard::of(&self.shared, slot);
        self.open(slot, generation);
        let mut parts = Parts { running: Some(spec.clone()), ..self.parts(slot, Armed::Attached)? };
        guard.armed = true;
        let seeder = self.adopt(&found, generation, &mut parts)?;
        // What failed during seeding was made good by a later pass; only what fails from now on is loss.
        parts.losses_before.storage_failures = self.shared.tables().counters(slot).storage_failures;
        guard.keep();
        let mut session = BpfSession::new(parts, Some(seeder))?;
        if self.relay_signals {
            let mask = signals::block()?;
            let relayed =
                Relay::new(Arc::clone(&self.shared), slot).and_then(|relay| session.relay(relay, mask));
            if let Err(error) = relayed {
                signals::restore(&mask);
                return Err(error);
            }
        }
        Ok(session)
    }

    /// Puts everybody under observation who belongs to the target, and notes what may have been missed meanwhile.
    fn adopt(&self, found: &Found<'_>, generation: u32, parts: &mut Parts) -> Result<Seeder, Error> {
        let (tables, slot) = (self.shared.tables(), parts.slot);
        let tasks = found.processes.len() as u64;
        let by_cgroup = found.cgroup.is_some();
        // Nobody enters until the target has its generation.
        tables.disarm(slot);
        let seeder = Seeder::adopting(tables, slot, generation, found.kind())?;
        if let Some(cgroup) = found.cgroup {
            tables.open_entrances(slot, generation, &[Entrance::Whole { cgroup }])?;
        }
        parts.forget_losses()?;
        tables.reset(slot, generation, NewTarget { events: self.target.events, by_cgroup, tasks });
        for (pid, pidfd) in &found.processes {
            match tables.arm(pidfd.as_fd(), slot, generation, Phase::Workload) {
                Ok(()) => {}
                Err(error) => match error.kind() {
                    // It is a child of another, or it is in the cgroup, and has been met there.
                    libbpf_rs::ErrorKind::AlreadyExists
                        if tables.is_member(pidfd.as_fd(), slot, generation) => {}
                    libbpf_rs::ErrorKind::AlreadyExists => return Err(Error::AlreadyObserved { pid: pid.0 }),
                    libbpf_rs::ErrorKind::NotFound => return Err(no_process(*pid)),
                    _ => return Err(Error::map("tasks")(error)),
                },
            }
        }
        let mut place = seeder.adopt_all()?;
        if let Some(own) = &found.own {
            // Where init is had to be known before anybody could be let in after it.
            let init = place.unwrap_or_default();
            if init.leader == 0 {
                return Err(Error::NoInit { pid: found.spec.pids.first().map_or(0, |pid| pid.0) });
            }
            tables.open_entrances(slot, generation, &own.entrances(&init, proc::mount_namespace()))?;
            place = seeder.adopt_all()?;
        }
        let (seeder, missed) = seeder.adopted(place.is_some())?;
        parts.adopting = missed;
        Ok(seeder)
    }
}

fn has_ended(pidfd: &OwnedFd) -> Result<bool, Error> {
    let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO)
        .map(|ready| ready > 0)
        .map_err(Error::system("ask whether a process lives"))
}

fn no_process(pid: Tgid) -> Error {
    Error::NoProcess { pid: pid.0, source: Errno::ESRCH.into() }
}
