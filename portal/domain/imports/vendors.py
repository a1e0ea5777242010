"""Who the vendor is that a file names: its Spectrum code decides, in anyone's file; a name alone only where it fits one vendor."""

from collections import defaultdict
from collections.abc import Iterable

from portal.domain import keys
from portal.domain.commitments import Commitment, Vendor
from portal.domain.imports.entries import Entry, vendor_key


class Unclear(Exception):
    """The file does not say what it means, or something else than is here: the sentence says which, `field` names the fact."""

    def __init__(self, text: str, field: str = "vendor") -> None:
        super().__init__(text)
        self.field = field


class Vendors:
    """The company's vendors by code and by name.

    said   the codes that the file gives to a name: two of them leave the bare name unclear, whatever row comes first
    """

    def __init__(self, vendors: Iterable[Vendor]) -> None:
        self.by_code: dict[str, list[Vendor]] = defaultdict(list)
        self.by_name: dict[str, list[Vendor]] = defaultdict(list)
        self.said: dict[str, set[str]] = defaultdict(set)
        for vendor in vendors:
            self.add(vendor)

    def add(self, vendor: Vendor) -> None:
        self.by_name[vendor_key(vendor.name)].append(vendor)
        self.link(vendor)

    def link(self, vendor: Vendor) -> None:
        """Find it by its code from now on."""
        if vendor.code:
            self.by_code[keys.vendor(vendor.code)].append(vendor)

    def hear(self, entries: Iterable[Entry]) -> None:
        """Note which codes the file gives to which names."""
        for entry in entries:
            if entry.vendor_name and entry.vendor_code:
                self.said[vendor_key(entry.vendor_name)].add(keys.vendor(entry.vendor_code))

    def of(self, entry: Entry, known: Commitment | None) -> Vendor | None:
        """The vendor of the entry; None when it names none, or one that is not here yet. `known`: its commitment here. Raises Unclear."""
        here: Vendor | None = known.vendor if known else None
        if here is not None and self._is_meant(entry, here):
            return here
        found = self._by_code(entry, here) if entry.vendor_code else self._by_name(entry)
        if here is not None and found is not here and (entry.vendor_name or found):
            held = f"Commitment {entry.commitment_number} of job {entry.job_number}"
            said = _words(found.name if found else entry.vendor_name, entry.vendor_code or (found.code if found else ""))
            raise Unclear(
                f"{held} belongs to {_words(here.name, here.code)} here; the file says {said}. Correct the file, "
                "or have an administrator correct the vendor of the commitment."
            )
        return found

    def _is_meant(self, entry: Entry, here: Vendor) -> bool:
        """Whether the file means the vendor that the commitment has here. A code outweighs any name."""
        if entry.vendor_code and here.code:
            return keys.vendor(entry.vendor_code) == keys.vendor(here.code)
        if entry.vendor_code and (self.by_code[keys.vendor(entry.vendor_code)] or len(self.said[vendor_key(here.name)]) > 1):
            return False
        return not entry.vendor_name or vendor_key(entry.vendor_name) == vendor_key(here.name)

    def _by_code(self, entry: Entry, here: Vendor | None) -> Vendor | None:
        key, code = vendor_key(entry.vendor_name), keys.vendor(entry.vendor_code)
        if found := self.by_code[code]:
            return next((one for one in found if vendor_key(one.name) == key), found[0])
        if not key or here is not None:
            return None  # a code alone makes no vendor; and what the commitment has here is another one
        same = self.by_name[key]
        bare = [one for one in same if not one.code]
        codes = {keys.vendor(one.code) for one in same if one.code} | self.said[key] | {code}
        if len(bare) == 1 and len(codes) == 1:
            return bare[0]
        if bare or (not entry.may_link and len(codes) > 1):
            listed = _listed(sorted(codes))
            raise Unclear(
                f"{entry.vendor_name} may be several vendors: {listed}. No vendor here has code {entry.vendor_code} yet; "
                "an administrator has to link it first."
            )
        return None

    def _by_name(self, entry: Entry) -> Vendor | None:
        key = vendor_key(entry.vendor_name)
        same = self.by_name[key] if key else []
        codes = {keys.vendor(one.code) for one in same if one.code} | (self.said[key] if key else set())
        if len(same) > 1 or len(codes) > 1:
            known = [*sorted(codes), *("one without a code" for one in same if not one.code)]
            raise Unclear(f"{entry.vendor_name} fits {len(known)} vendors: {_listed(known)}. State the vendor code.")
        return same[0] if same else None


def _words(name: str, code: str) -> str:
    return f"{name} ({code or 'no code'})"


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
