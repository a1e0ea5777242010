"""The web server behind nginx: gunicorn -c deploy/gunicorn.conf.py 'portal:create_app()'. On SQLite one process, on PostgreSQL several."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
import config as settings_of

try:
    bind = f"127.0.0.1:{settings_of.load().PORTAL_PORT}"  # never an address others reach: the proxy has the TLS
except settings_of.ConfigError as error:
    sys.exit(str(error))
workers = 1
worker_class = "gthread"
threads = 8
timeout = 60
graceful_timeout = 30
umask = 0o077
limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190
forwarded_allow_ips = "127.0.0.1"
proc_name = "portal"

HERE = ("127.0.0.1", "localhost", "::1", "")


def on_starting(server):
    """Not on an address that others reach while PORTAL_URL says that nobody does: the rules of production would not be asked.
    Not with several processes on SQLite, whose writers wait for each other without order, nor beside another web server of it."""
    from portal import preflight
    from portal.standalone import machine

    file = preflight.database_file(settings_of.load())
    if file and server.cfg.workers > 1:
        sys.exit(f"DATABASE_URL: SQLite takes one web process, not {server.cfg.workers}. Set workers = 1, or move to PostgreSQL.")
    if file:
        try:
            server.alone = machine.hold(file.with_name(f"{file.name}.web"))  # until the server ends
        except BlockingIOError:
            sys.exit(f"DATABASE_URL: another web server has {file} open, and SQLite takes one. Stop it, or move to PostgreSQL.")
        except OSError as error:
            sys.exit(f"DATABASE_URL: cannot write to {file.parent} ({error.strerror}). Make it a folder the portal may write to.")
    others = [host for host, _ in (one for one in server.address if isinstance(one, tuple)) if host not in HERE]
    if others and not settings_of.load().is_for_others:
        sys.exit(f"PORTAL_URL: names this machine alone, but the web server was told to listen on {', '.join(others)}. Set PORTAL_URL.")
