"""Everything that can stop a change order on its way to Spectrum: what it means, who can fix it, and how. One table.

An entry is found by code and column, never by Spectrum's text, which is not promised. Codes of one capital letter are Spectrum's
[D2] [D4]; the words are the portal's own: `check` (stopped here, nothing sent), `connect` (nothing sent), `http` (an answer without
rows), `answer` (sent, and no answer to be understood).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["data", "access", "setup", "temporary", "unknown", "good"]
Who = Literal["Accounting", "Project team", "IT", "No one yet"]

ANY = "*"


@dataclass(frozen=True, slots=True)
class Entry:
    """One cause.

    code, column  what Spectrum or the portal names; column `*` is the rest of that code.
    meaning       what happened, and why, in plain words.
    kind          data (the record), access (our rights), setup (settings), temporary (goes away by itself), or unknown: the state of
                  a record that may or may not be in Spectrum.
    who           who can fix it.
    remedy        what to do.
    """

    code: str
    column: str
    meaning: str
    kind: Kind
    who: Who
    remedy: str


CLOSED = "The accounting period of that date may be closed in Spectrum."
OPEN_PERIOD = "Open the period in Spectrum, then retry; or press Review again and accept it with another accounting date."
PAIR = "The phase and cost type may be missing on the job, or Complete."
CORRECT_LINE = "or reject it, so that the project team corrects the line and sends it again."
ADD_PAIR = f"Add the phase and cost type to the job in Spectrum, or open the phase there, then retry; {CORRECT_LINE}"
TOGETHER = "Vendor and subcontract must belong together and to this job in Spectrum."
ON_PAGE = "on the page of the commitment, under Spectrum codes"
AS_NOW = "then press Review again and accept it as it is now."
CHECK_PAIR = f"Correct the vendor code or the subcontract number {ON_PAGE}, {AS_NOW}"
REFUSED_US = (
    "Spectrum rejected the portal's sign-in. The Authorization ID may be inactive, or not allowed to use ARChangeRequest or this company."
)
MEND_ID = (
    "Make the Authorization ID active in Spectrum and allow it this service and company."
    " Exports restart when an administrator resumes them."
)
SECRET_EXPIRED = "The Spectrum client secret has expired (or was rotated elsewhere). Enter the new one."  # noqa: S105 -- a sentence
MAY_BE_THERE = "The change request may or may not have been saved."
LOOK = "Look it up in Spectrum, then say whether it is there."
CHOOSE = f"Choose another one in the company settings, {AS_NOW}"
PROPOSED = f"Choose status P (proposed) in the company settings, {AS_NOW}"

ENTRIES: tuple[Entry, ...] = (
    # Stopped by the portal's own checks.
    Entry("check", "company", "No Spectrum company code is set for this company.", "setup", "Accounting",
          "Set it in the company settings."),
    Entry("check", "job", "The project has no Spectrum job number.", "setup", "Accounting",
          "Import its commitments under the job number of Spectrum."),
    Entry("check", "job missing", "The job was not found in Spectrum (it may be Complete).", "data", "Accounting",
          "Set the job up in Spectrum under this number, or open it there."),
    Entry("check", "customer", "The job has no customer in Spectrum. A change request needs one.", "data", "Accounting",
          f"Set its customer code {ON_PAGE}."),
    Entry("check", "contract", "The job has no contract in Spectrum.", "data", "Accounting", "Set up the contract first."),
    Entry("check", "number", "The number is already used in Spectrum for this job by another change request.", "data", "Accounting",
          "Pick another number."),
    Entry("check", "number too long", "The commitment number has more than 10 characters; Spectrum allows 10.", "data", "Accounting",
          f"Set its Spectrum subcontract number {ON_PAGE}."),
    Entry("check", "text", "The description contains characters Spectrum cannot store.", "data", "Project team",
          "Write it without them, then send it again."),
    Entry("check", "settings", "The Spectrum change request status, the cost reimbursable flag or the subcontract status is not chosen.",
          "setup", "Accounting", "Choose it under Settings first."),
    Entry("check", "phase", "The phase and cost type do not exist on the job in Spectrum. The import can't create phases.", "data",
          "Accounting", f"Add them in Spectrum; {CORRECT_LINE}"),
    Entry("check", "phase complete", "The phase is Complete in Spectrum and accepts no cost.", "data", "Accounting",
          f"Open the phase in Spectrum; {CORRECT_LINE}"),
    Entry("check", "cost type", "The cost type has no Spectrum code.", "setup", "Project team",
          "Write Spectrum's code of the cost type, then send it again."),
    Entry("check", "quantity", "The quantity is too large or has more than 2 decimals for Spectrum.", "data", "Project team",
          "Correct the quantity, then send it again."),
    Entry("check", "amount", "The amount has more than 2 decimals, or more than 10 digits before the point.", "data", "Project team",
          "Correct the amount, then send it again."),
    Entry("check", "vendor", "The vendor isn't linked to a Spectrum vendor.", "setup", "Accounting",
          f"Set its vendor code {ON_PAGE}."),
    Entry("check", "vendor inactive", "The vendor is not active in Spectrum.", "data", "Accounting", "Make the vendor active in Spectrum."),
    Entry("check", "subcontract", "The commitment has no Spectrum subcontract number.", "setup", "Accounting",
          f"Set its Spectrum subcontract number {ON_PAGE}."),
    Entry("check", "purchase order", "This is a purchase order. Your Spectrum only takes change orders on subcontracts.", "data",
          "Accounting", f"Enter it as a subcontract in Spectrum and say so {ON_PAGE}."),
    Entry("check", "bid item", "The line needs a subcontract bid item: the commitment is a unit price contract.", "data", "Project team",
          "Give the line its bid item, then send it again."),
    Entry("check", "executed", "Spectrum needs an existing subcontract change order number to mark this as executed.", "setup",
          "Accounting", "Choose status P (proposed) in the company settings."),
    Entry("check", "repeated pair",
          "Two lines use the same phase, cost type and subcontract. Spectrum takes each combination once per change order.", "data",
          "Project team", "Combine the lines and send it again."),
    Entry("check", "total", "The lines do not add up to the amount of the change order.", "data", "Project team",
          "Correct the lines or the amount, then send it again."),
    Entry("check", "zero", "All lines are zero: nothing to export.", "data", "Project team", "Void it, or give a line its amount."),
    Entry("check", "outdated", "Settings, job, vendor or commitment have changed since it was accepted. Nothing was sent.", "setup",
          "Accounting", "Press Review again and accept it as it is now; or have the old value set back, then retry."),
    Entry("check", "outdated in part", "Settings, job, vendor or commitment have changed since lines of it went to Spectrum.", "setup",
          "Accounting", "Have the old value set back, then retry; or remove in Spectrum what is there, and reject it."),
    # Nothing was sent.
    Entry("connect", "timeout", "Spectrum's address did not answer. This server's address may not be allowed there.", "temporary", "IT",
          "The portal tries again. If it has never worked, have this server put on Spectrum's list of allowed addresses."),
    Entry("connect", "infolink", "Spectrum's tables could not be read back through Info-Link.", "temporary", "IT",
          "The portal looks again by itself. If it goes on, check the settings INFOLINK_SERVER, INFOLINK_USER and INFOLINK_PASSWORD."),
    Entry("connect", "refused", "Nothing could be reached at Spectrum's address.", "temporary", "IT",
          "The portal tries again. If it goes on, check that Data Exchange runs and that SPECTRUM_URL has the right port."),
    Entry("connect", "name", "The name of Spectrum's server is not known.", "setup", "IT", "Check SPECTRUM_URL and the name service."),
    Entry("connect", "certificate", "The certificate of Spectrum's server could not be verified.", "setup", "IT",
          "Check its validity and its name; for a private authority, set SPECTRUM_CA_BUNDLE."),
    Entry("connect", "tls", "No secure connection to Spectrum could be made.", "setup", "IT",
          "Check that SPECTRUM_URL names the port of the Data Exchange, which speaks TLS."),
    Entry("connect", "address", "The address of Spectrum is not usable.", "setup", "IT", "Check SPECTRUM_URL: https://HOST:8482."),
    Entry("connect", "token", "Spectrum gave no token to sign in with.", "temporary", "IT",
          "The portal tries again. If it goes on, check that enhanced authentication is switched on in Spectrum."),
    Entry("connect", "wsdl", "Spectrum's description of the service cannot be used.", "temporary", "IT",
          "The portal tries again. If it goes on, compare the version of Spectrum with the portal's."),
    Entry("connect", ANY, "Spectrum could not be reached.", "temporary", "No one yet", "The portal tries again."),
    # Spectrum refused us.
    Entry("A", "client_secret", SECRET_EXPIRED, "access", "IT", "Reset the secret in Spectrum and enter it in the company settings."),
    Entry("A", "GUID", "Spectrum no longer knows this session.", "access", "Accounting", "Retry; a new session is opened."),
    Entry("A", ANY, REFUSED_US, "access", "IT", MEND_ID),
    Entry("E", "GUID", "Spectrum no longer knows this session.", "access", "Accounting", "Retry; a new session is opened."),
    Entry("E", ANY, REFUSED_US, "access", "IT", MEND_ID),
    Entry("http", "401", REFUSED_US, "access", "IT", "Check the Authorization ID and, where it is used, enhanced authentication."),
    Entry("http", "403", REFUSED_US, "access", "IT", "Check the rights of the Authorization ID and Spectrum's list of allowed addresses."),
    # Spectrum refused the record.
    Entry("I", "Company_Code", "The company may be missing in Spectrum.", "setup", "Accounting",
          f"Correct the company code in the settings, {AS_NOW}"),
    Entry("I", "Job_Number", "The job may be missing or Complete in Spectrum.", "data", "Accounting",
          "Set the job up in Spectrum or open it there, then retry."),
    Entry("I", "Customer_Code", "A change request needs a contract of this customer on the job.", "data", "Accounting",
          f"Set up the contract in Spectrum, then retry; or correct the customer code {ON_PAGE}, {AS_NOW}"),
    Entry("I", "Change_Request_Number", "The change request may be on a draw or a change order in Spectrum.", "data",
          "Accounting", "Make the change in Spectrum by hand, or take it off the draw or change order and retry."),
    Entry("I", "CR_Status", "The status may be missing in Spectrum.", "setup", "Accounting",
          f"Choose another status in the company settings, {AS_NOW}"),
    Entry("I", "Cost_Reimbursable_Flag", "The change request status decides which setting is allowed.", "setup", "Accounting",
          f"Choose another status or setting in the company settings, {AS_NOW}"),
    Entry("I", "Origination_Date", CLOSED, "data", "Accounting", OPEN_PERIOD),
    Entry("I", "Approved_Date", CLOSED, "data", "Accounting", OPEN_PERIOD),
    Entry("I", "Sub_Change_Order_Date", CLOSED, "data", "Accounting", OPEN_PERIOD),
    Entry("I", "CR_Phase_Code", PAIR, "data", "Accounting", ADD_PAIR),
    Entry("I", "CR_Cost_Type", PAIR, "data", "Accounting", ADD_PAIR),
    Entry("I", "Subcontractor_Code", "Vendor and subcontract must belong together in Spectrum.", "data", "Accounting", CHECK_PAIR),
    Entry("I", "Subcontract_Number", TOGETHER, "data", "Accounting", CHECK_PAIR),
    Entry("I", "Sub_Status", "Spectrum knows P, E and R.", "setup", "Accounting", CHOOSE),
    Entry("I", "Sub_Change_Order_Number", "The subcontract change order must exist on the job in Spectrum.", "data", "Accounting",
          PROPOSED),
    Entry("I", "Sub_Bid_Item_Code", "A unit price subcontract needs one of its bid items, at most 10 characters with its group.", "data",
          "Project team", "Accounting rejects it; give the line its bid item, then send it again."),
    Entry("I", "GL_Account", "No G/L account for this job, phase and cost type.", "data", "Accounting",
          "Set a default G/L account on the cost type or vendor in Spectrum, then press Retry."),
    Entry("I", ANY, "Spectrum does not take this value.", "data", "Accounting", f"Correct it in Spectrum, then retry; {CORRECT_LINE}"),
    Entry("M", "CR_Status", "A new change request needs a status.", "setup", "Accounting", CHOOSE),
    Entry("M", "Sub_Status", "A change with a subcontract needs a subcontract status.", "setup", "Accounting", CHOOSE),
    Entry("M", "CR_Cost_Type", PAIR, "data", "Accounting", ADD_PAIR),
    Entry("M", "CR_Phase_Code", PAIR, "data", "Accounting", ADD_PAIR),
    Entry("M", "Sub_Change_Order_Number", "Spectrum needs an existing subcontract change order number to mark this as executed.", "setup",
          "Accounting", PROPOSED),
    Entry("M", ANY, "Spectrum needs this value, and it was empty.", "data", "Accounting",
          f"Set it in Spectrum, then retry; {CORRECT_LINE}"),
    # No one knows.
    Entry("answer", "timeout", f"Spectrum did not answer in time. {MAY_BE_THERE}", "unknown", "Accounting", LOOK),
    Entry("answer", "broken",
          f"The connection to Spectrum broke before its answer was complete. {MAY_BE_THERE}", "unknown", "Accounting", LOOK),
    Entry("answer", "fault", f"Spectrum reported an internal error. {MAY_BE_THERE}", "unknown", "Accounting", LOOK),
    Entry("answer", "unreadable", f"The answer is not one of Spectrum's: another page, or cut off. {MAY_BE_THERE}", "unknown", "Accounting",
          LOOK),
    Entry("answer", "redirect", "Spectrum sent us to another address, which the portal never follows.", "unknown", "IT", LOOK),
    Entry("answer", "number", "Spectrum says it saved the change request under another number than the one we gave.", "unknown",
          "Accounting", "Look in Spectrum for both numbers, correct it there, then say where it is."),
    Entry("answer", ANY, f"Spectrum answered in a way the portal does not understand. {MAY_BE_THERE}", "unknown", "Accounting", LOOK),
    # For completeness: nothing to fix.
    Entry("G", ANY, "Spectrum took the record and tells something about it.", "good", "No one yet", "Nothing to do."),
    Entry("S", ANY, "The connection test succeeded.", "good", "No one yet", "Nothing to do."),
)  # fmt: skip

_BY_KEY: Mapping[tuple[str, str], Entry] = {(one.code, one.column): one for one in ENTRIES}


def find(code: str, column: str = ANY) -> Entry:
    """The entry of this code and column, else of the code, else the one for answers no one understands."""
    return _BY_KEY.get((code, column)) or _BY_KEY.get((code, ANY)) or _BY_KEY["answer", ANY]
