"""Tell that a job is over, or a run of it, by mail: once for each run, whoever notices, and however often."""

from chalicelib.domain.job import Job, JobStatus
from chalicelib.domain.mail import Kind, Notice
from chalicelib.services.notify import notify


def tell_finished(job: Job, event: str, status: JobStatus, now_ms: int) -> None:
    """Tell that `event` of the job ended: its last run, or what kept it from one.

    Called before the end is written: who dies in between comes here again, and the mail is the same by its name.
    """
    values = {
        "job": job.id,
        "job_name": job.name or job.id,
        "status": status,
        "messages": str(job.survey.valid) if job.survey else "",
        "started_ms": str(job.started_ms) if job.started_ms else "",
        "ended_ms": str(now_ms),
    }
    told = {name: value for name, value in values.items() if value}
    notify(Notice(Kind.JOB_FINISHED, f"{job.id}/{event}", account=job.account, values=told), now_ms)
