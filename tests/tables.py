"""Every table, for migrations and tests that look at all of them."""

from portal.domain.accounts.api_tokens import Token
from portal.domain.accounts.idempotency import KeptAnswer
from portal.domain.accounts.identities import Identity
from portal.domain.accounts.password_links import Link
from portal.domain.accounts.privilege_requests import PrivilegeRequest
from portal.domain.accounts.rate_limits import Tries
from portal.domain.accounts.sessions import Session
from portal.domain.backups import Backup
from portal.domain.change_orders import ChangeOrder, LineItem
from portal.domain.commitments import Commitment, Job, Vendor
from portal.domain.companies import Company
from portal.domain.events import Event
from portal.domain.exporting.exports import Attempt, Export
from portal.domain.exporting.failure_causes import FailureCause
from portal.domain.heartbeats import Heartbeat
from portal.domain.imports.staging import Import, ImportResult, Staged
from portal.domain.imports.uploads import Upload
from portal.domain.lanes import Lane
from portal.domain.outbox import Dispatch
from portal.domain.people import Membership, User
from portal.domain.processes import Process
from portal.domain.projects.statements import Statement
from portal.domain.review.bulk_actions import BulkAction, BulkResult
from portal.domain.review.saved_views import SavedView
from portal.domain.rules.contributors import CodeHand, Contribution
from portal.domain.rules.duplicates import Distinction
from portal.domain.rules.spectrum_lists import Reading, SpectrumJob, SpectrumPhase, SpectrumVendor
from portal.domain.rules.spectrum_numbers import SpectrumNumber
from portal.domain.settings.connection_tests import ConnectionTest
from portal.domain.settings.refresh_lists import Refresh
from portal.domain.settings.resend_check import ResendCheck
from portal.domain.settings.spectrum_sign_in import Connection
from portal.domain.status_totals import StatusTotal

TABLES = (
    Company, Job, Vendor, Commitment, User, Membership, Session, ChangeOrder, LineItem, Contribution, CodeHand,
    SpectrumNumber, Export, Attempt, FailureCause, BulkAction, BulkResult,
    Lane, Dispatch,
    Heartbeat, Event, Upload, Import, Staged, ImportResult, SpectrumJob, SpectrumPhase, SpectrumVendor, Reading, Refresh, Connection,
    ConnectionTest, ResendCheck, Token, KeptAnswer, Identity, Tries, Link, PrivilegeRequest, Statement, Distinction, Backup,
    Process, StatusTotal, SavedView,
)  # fmt: skip
