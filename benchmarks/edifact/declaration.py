"""One generated import declaration (CUSDEC D.96B) after another, segment by segment, as text.

The shape is that of declarations as they are lodged: places, equipment and seals, transport, invoices, the
parties with addresses, terms, amounts, then from one to some forty goods items with description, origin,
masses, packages and marks, amounts, references, documents and duties. Names, numbers and references differ.
"""

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TypeVar

from tidewaiter.benchmarks.edifact import words

T = TypeVar("T")
# Most declarations have few items, some have many.
MEAN_ITEMS, MAX_ITEMS = 8, 40
MEAN_PACKAGES = 120
# How many descriptions and marks, and how many names, hold a released character: with these shares between
# one and two of a hundred segments do.
AWKWARD_TEXTS, AWKWARD_NAMES = 0.12, 0.2
# What still follows the items, and half an item.
_REST = 400
_FIRST_DAY = date(2026, 1, 5)
_RELEASED = str.maketrans({sign: f"?{sign}" for sign in "?:+'"})
_RELEASED_4 = str.maketrans({sign: f"?{sign}" for sign in "?:+'*"})


class Declarations:
    """Makes declarations. The same seed makes the same ones; `fold` brings text into a charset's repertoire.

    `mail` says if the repertoire has @, `firms` are heads of firm names beyond those of Latin-1.
    """

    def __init__(
        self, seed: int, fold: Callable[[str], str], *, newer: bool, mail: bool, firms: Sequence[str] = ()
    ) -> None:
        self._random = random.Random(seed)
        self._fold = fold
        self._released = _RELEASED_4 if newer else _RELEASED
        self._mail = mail
        self._heads = (*words.FIRM_HEADS, *firms)

    def message(self, reference: str, *, items: int = 0, octets: int = 0) -> str:
        """The next one, UNH to UNT.

        `items` goods items; else as many as make `octets` characters; else a likely number.
        """
        wanted = items or min(MAX_ITEMS, 1 + int(self._random.expovariate(1 / MEAN_ITEMS)))
        day = _FIRST_DAY + timedelta(days=self._random.randrange(700))
        origin, port = self._places()
        currency = self._one(words.CURRENCIES)
        goods: list[list[str]] = []
        head = self._head(reference, day, origin, port, currency)
        packages = size = 0
        while len(goods) < wanted if not octets else size < octets:
            number, item = self._item(len(goods) + 1, origin, currency, day)
            packages += number
            goods.append(item)
            size = sum(len(segment) + 1 for part in (head, *goods) for segment in part) + _REST
        tail = self._tail(len(goods), packages, currency)
        segments = [*head, *(segment for item in goods for segment in item), *tail]
        segments.append(f"UNT+{len(segments) + 1}+{reference}")
        return self._fold("'".join(segments)) + "'"

    def _head(
        self, reference: str, day: date, origin: words.Place, port: words.Place, currency: str
    ) -> list[str]:
        number, one, random_ = self._number, self._one, self._random
        segments = [
            f"UNH+{reference}+CUSDEC:D:96B:UN",
            f"BGM+929+LRN{day:%y}{number(9)}+9",
            f"LOC+96+{one(words.OFFICES)}",
            f"LOC+35+{origin.country}",
            f"LOC+28+{port.country}",
            f"LOC+9+{origin.code}",
            f"LOC+14+{port.code}{number(4)}:::{self._text(f'Terminal {number(2)}, {port.city}', 70)}",
            f"DTM+137:{day:%Y%m%d}:102",
            f"DTM+132:{day + timedelta(days=random_.randrange(9)):%Y%m%d}:102",
            "GIS+23",
            f"MEA+WT+AAD+KGM:{random_.randrange(200, 26000)}.{number(1)}",
        ]
        seals = []
        for _ in range(random_.choice((0, 1, 1, 1, 2, 3))):
            box = f"{one(('TWTU', 'MSCU', 'HLXU', 'CMAU'))}{number(7)}"
            segments.append(f"EQD+CN+{box}+:::{one(words.BOXES)}+2+3+5")
            seals.append(f"SEL+{one(('TW', 'ML', 'HL'))}{number(6)}+{one(('CA', 'SH', 'CU'))}")
        segments += seals
        if random_.random() < 0.5:
            lines = random_.sample(words.REMARKS, random_.choice((1, 1, 2)))
            segments.append(f"FTX+ACB+++{':'.join(self._text(line, 70) for line in lines)}")
        segments += [
            f"RFF+UCN:{day:%y}{port.country}{number(9)}-{number(6)}",
            f"RFF+ABO:PO-{number(6)}",
            f"TDT+11+{number(3)}{one('NSEW')}+1++++"
            f"+{number(7)}:146::{self._text(one(words.VESSELS), 35)}:{one(words.FLAGS)}",
            f"TDT+13+{number(5)}+3+31",
        ]
        for _ in range(random_.choice((1, 1, 2, 3))):
            segments += [f"DOC+380+INV-{day:%Y}-{number(6)}", f"DTM+3:{self._before(day)}:102"]
        segments += self._parties(origin, port)
        segments += [f"TOD+3++{one(words.INCOTERMS)}", f"LOC+1+{port.code}"]
        segments.append(f"MOA+39:{self._money(2000, 180000)}:{currency}")
        if currency != "EUR":
            segments.append(f"CUX+2:{currency}++{random_.uniform(0.4, 1.9):.5f}")
        segments.append(f"MOA+64:{self._money(90, 4200)}:EUR")
        return [*segments, "UNS+D"]

    def _parties(self, origin: words.Place, port: words.Place) -> list[str]:
        segments = []
        for role, place in (("EX", origin), ("IM", port), ("DT", port), ("AE", port), ("CN", port)):
            if role in {"AE", "CN"} and self._random.random() < 0.5:
                continue
            own = f"{place.country}{self._number(9)}" if place is port else ""
            segments.append(f"NAD+{role}+{own}++{self._name_and_address(place)}")
            if role in {"EX", "IM"} and self._random.random() < 0.3:
                segments.append(f"RFF+VA:{place.country}{self._number(9)}")
            if role == "DT":
                person = self._one(words.PERSONS)
                segments += [f"CTA+IC+:{self._text(person, 35)}", f"COM+{self._number(10)}:TE"]
                if self._mail:
                    segments.append(f"COM+desk{self._number(3)}@{place.code.lower()}.example:EM")
        return segments

    def _name_and_address(self, place: words.Place) -> str:
        if self._random.random() < AWKWARD_NAMES:
            name = f"{self._one(words.AWKWARD_FIRMS)} {self._one(words.FIRM_FORMS)}"
        else:
            head, trade = self._one(self._heads), self._one(words.FIRM_TRADES)
            name = f"{head} {trade} {self._one(words.FIRM_FORMS)}"
        street = f"{self._one(place.streets)} {self._random.randrange(1, 400)}"
        post = self._number(5)
        return f"{self._text(name, 35)}+{self._text(street, 35)}+{place.city}++{post}+{place.country}"

    def _item(self, number: int, origin: words.Place, currency: str, day: date) -> tuple[int, list[str]]:
        """Its number of packages, and its segments."""
        random_, one, digits = self._random, self._one, self._number
        good = one(words.GOODS)
        packages = 1 + int(random_.expovariate(1 / MEAN_PACKAGES))
        net = packages * good.kilograms * random_.uniform(0.9, 1.1)
        price = packages * good.price * random_.uniform(0.7, 1.4)
        segments = [
            f"CST+{number}+{good.heading}{digits(2)}:122:2",
            f"FTX+AAA+++{self._description(good)}",
            f"FTX+CCI+++{one(('40', '40', '42', '61'))}:{one(('00', '00', '71', '78'))}",
            f"LOC+27+{origin.country}",
            f"MEA+WT+AAB+KGM:{net * random_.uniform(1.02, 1.12):.1f}",
            f"MEA+WT+AAF+KGM:{net:.1f}",
        ]
        if random_.random() < 0.3:
            segments.append(f"MEA+AAF++NAR:{packages * random_.randrange(1, 48)}")
        segments += [
            f"PAC+{packages}++{good.package}",
            f"PCI++{self._marks()}:{good.heading} 1-{packages}:PO {digits(6)}",
            f"MOA+40:{price:.2f}:EUR",
            f"MOA+38:{price * random_.uniform(0.9, 1.1):.2f}:{currency}",
            f"MOA+123:{price * random_.uniform(1, 1.1):.2f}:EUR",
        ]
        if random_.random() < 0.25:
            segments.append(f"RFF+AAQ:{one(('TWTU', 'MSCU'))}{digits(7)}")
        for kind in random_.sample(words.DOCUMENTS, random_.randrange(1, 4)):
            segments.append(f"DOC+{kind}+{one('ABCDEFG')}{digits(2)}-{day:%Y}-{digits(5)}")
            if random_.random() < 0.3:
                segments.append(f"DTM+137:{self._before(day)}:102")
        segments.append(f"GIS+122::ZZZ:{one('1112')}")
        return packages, segments + self._duties(price)

    def _duties(self, price: float) -> list[str]:
        segments = []
        for kind, rates in (words.DUTIES[0], ("VAT", words.VAT_RATES)):
            rate = self._one(rates)
            segments += [
                f"TAX+1+{kind}++{price:.2f}+:::{rate}",
                f"MOA+161:{price * float(rate) / 100:.2f}:EUR",
            ]
        return segments

    def _description(self, good: words.Good) -> str:
        if self._random.random() < AWKWARD_TEXTS:
            return self._text(f"{self._one(words.AWKWARD)}, lot {self._number(5)}", 70)
        return self._text(f"{good.description}, lot {self._number(5)}", 70)

    def _marks(self) -> str:
        head = self._one(self._heads).upper()
        return self._text(f"{head}, C/NO: 1+" if self._random.random() < AWKWARD_TEXTS else head, 35)

    def _tail(self, items: int, packages: int, currency: str) -> list[str]:
        segments = ["UNS+S", f"CNT+5:{items}", f"CNT+11:{packages}"]
        if currency == "EUR" and self._random.random() < 0.5:
            segments += ["TAX+3+CUD", f"MOA+161:{self._money(50, 9000)}:EUR"]
        return [*segments, f"AUT+{self._random.getrandbits(64):016X}"]

    def _places(self) -> tuple[words.Place, words.Place]:
        return self._one(words.PLACES[10:]), self._one(words.PLACES[:10])

    def _text(self, text: str, limit: int) -> str:
        """`text` folded and cut to `limit` characters, then released."""
        return self._fold(text)[:limit].rstrip().translate(self._released)

    def _before(self, day: date) -> str:
        return f"{day - timedelta(days=self._random.randrange(1, 60)):%Y%m%d}"

    def _money(self, low: int, high: int) -> str:
        return f"{self._random.uniform(low, high):.2f}"

    def _number(self, digits: int) -> str:
        return f"{self._random.randrange(10**digits):0{digits}}"

    def _one(self, among: Sequence[T]) -> T:
        return among[int(self._random.random() * len(among))]
