"""What the generated declarations speak of: goods, places, firms, documents.

Every coded value is one of UNCL D.96B, or of the list kept elsewhere that the element uses (UN/LOCODE, ISO
3166 and 4217, Recommendations 20 and 21, Harmonized System). Words are of Latin-1 where they leave ASCII;
`UNICODE_FIRMS` are for the levels that hold more.
"""

from typing import NamedTuple


class Good(NamedTuple):
    """A kind of goods: heading, description, package type, usual kilograms and price of a package."""

    heading: str
    description: str
    package: str
    kilograms: float
    price: float


class Place(NamedTuple):
    """A town: UN/LOCODE, name, country, streets in it."""

    code: str
    city: str
    country: str
    streets: tuple[str, ...]


GOODS = (
    Good("090121", "Roasted coffee, not decaffeinated, in 1 kg bags", "CT", 41.2, 186.0),
    Good("180500", "Cocoa powder, not containing added sugar", "BG", 25.5, 60.3),
    Good("220421", "Red wine in bottles of 0.75 l, protected designation", "CT", 8.1, 41.4),
    Good("080440", "Avocados, fresh, class I", "CT", 4.3, 9.8),
    Good("160414", "Tuna in olive oil, tins of 160 g", "CT", 9.6, 38.9),
    Good("330499", "Hand cream with urea, tubes of 75 ml", "CT", 5.2, 66.0),
    Good("392690", "Cable ties of polyamide, black, bags of 100", "CT", 12.4, 71.5),
    Good("401110", "Pneumatic tyres for passenger cars, new, 205/55 R16", "PK", 9.2, 48.7),
    Good("420222", "Handbags with outer surface of textile materials", "CT", 7.7, 212.4),
    Good("481910", "Folding cartons of corrugated board, printed", "PX", 210.0, 388.0),
    Good("610910", "T-shirts of cotton, knitted, assorted sizes", "CT", 11.3, 119.2),
    Good("640399", "Shoes with leather uppers, sizes 36 to 46", "CT", 13.9, 340.5),
    Good("691110", "Tableware of porcelain, set of 18 pieces", "CT", 14.8, 77.0),
    Good("731815", "Hexagon screws with nuts, steel, zinc-plated, M8 x 40", "CT", 22.6, 51.1),
    Good("732393", "Kitchen ware of stainless steel, pans of 24 cm", "CT", 10.1, 64.8),
    Good("820559", "Hand tools for masons and plasterers", "CT", 16.0, 98.3),
    Good("841391", "Impellers and seals for centrifugal pumps", "CS", 31.5, 940.0),
    Good("841459", "Axial fans, 24 V, for control cabinets", "CT", 6.9, 182.6),
    Good("847130", "Portable computers, 14 inch, with charger", "CT", 8.4, 2140.0),
    Good("847989", "Dosing unit for filling machines, with servo drive", "CS", 184.0, 12650.0),
    Good("848210", "Deep groove ball bearings, sealed both sides", "CT", 18.7, 233.9),
    Good("850440", "Power supplies, 48 V, for telecommunication racks", "CT", 15.5, 611.0),
    Good("851712", "Mobile telephones with accessories, dual SIM", "CT", 4.9, 3280.0),
    Good("853650", "Limit switches for voltages below 60 V", "CT", 5.6, 420.7),
    Good("854370", "Remote controls, infrared, with batteries", "CT", 7.2, 155.0),
    Good("870829", "Body parts for motor vehicles: wings and doors", "CR", 96.0, 1480.0),
    Good("871200", "Bicycles without motor, 28 inch, partly assembled", "CT", 17.3, 365.0),
    Good("901890", "Catheters, sterile, single use", "CT", 3.8, 890.0),
    Good("940161", "Upholstered seats with wooden frames, beech", "PK", 28.4, 176.9),
    Good("950300", "Toy bricks of plastic, assorted, boxes of 500", "CT", 10.8, 84.1),
    Good("030617", "Shrimps, frozen, headless, glazed 10%", "CT", 10.9, 88.8),
    Good("121299", "Seeds & kernels for food use: apricot, peach", "BG", 25.0, 142.0),
)
# What cannot be written without the release character.
AWKWARD = (
    "Mixture 3:1 of epoxy resin and hardener",
    "Valve, DN 1/2', brass + gasket",
    "Set: spanner + 4 sockets, chrome-vanadium",
    "Children's boots, lined",
    "Grade A+ sheets, 2440 x 1220 mm",
    "Returned goods: reason? see enclosed letter",
)
PLACES = (
    Place("NLRTM", "Rotterdam", "NL", ("Havenlaan", "Expeditieweg", "Waalhaven Oostzijde")),
    Place("DEHAM", "Hamburg", "DE", ("Am Sandtorkai", "Köhlbrandstraße", "Große Elbstraße")),
    Place("BEANR", "Antwerpen", "BE", ("Noorderlaan", "Scheldekaai")),
    Place("FRLEH", "Le Havre", "FR", ("Quai de l Île", "Rue de l Amiral Courbet")),
    Place("ESVLC", "València", "ES", ("Calle Menorca", "Avenida del Puerto")),
    Place("PTLEI", "Leixões", "PT", ("Rua de Goa", "Avenida da República")),
    Place("SEGOT", "Göteborg", "SE", ("Skandiahamnsgatan", "Första Långgatan")),
    Place("DKAAR", "Århus", "DK", ("Østhavnsvej", "Mindet")),
    Place("ATVIE", "Wien", "AT", ("Freudenauer Hafenstraße", "Handelskai")),
    Place("ITGOA", "Genova", "IT", ("Calata Sanità", "Via di Francia")),
    Place("BRSSZ", "Santos", "BR", ("Rua do Porto", "Avenida Perimetral")),
    Place("CNSHA", "Shanghai", "CN", ("Yangshan Road", "Waigaoqiao Avenue")),
    Place("CNSZX", "Shenzhen", "CN", ("Shekou Industrial Road", "Yantian Road")),
    Place("JPYOK", "Yokohama", "JP", ("Honmoku Futo", "Daikoku Futo")),
    Place("USLAX", "Los Angeles", "US", ("Harbor Plaza", "Terminal Way")),
    Place("INNSA", "Nhava Sheva", "IN", ("Port Users Road", "Sector 7")),
    Place("VNSGN", "Ho Chi Minh", "VN", ("Nguyen Tat Thanh", "Ben Nghe")),
    Place("TRIST", "Istanbul", "TR", ("Ambarli Liman Yolu", "Kennedy Caddesi")),
    Place("CLSAI", "San Antonio", "CL", ("Avenida Barros Luco", "Camino Viña")),
    Place("ZADUR", "Durban", "ZA", ("Bayhead Road", "Langeberg Road")),
)
FIRM_HEADS = (
    "Alvorada", "Van Aalst", "Meridian", "Brückner", "Château Lisle", "Nordström", "Peñafiel",
    "Ørsted & Lund", "Lindqvist", "Kowalski", "Harbour Light", "Golden Crane", "Sunrise", "Atlantica",
    "Bellavista", "Castro Irmãos", "De Vries", "Eastgate", "Fjällgården", "Grünwald", "Hanseatica",
    "Jacobs", "Köster", "Levant", "Marchetti", "Northstar", "Orion", "Pacífico", "Quantum", "Rossi",
    "São Bento", "Tanaka", "Ulmer", "Vega", "Weiß", "Zenith",
)  # fmt: skip
FIRM_TRADES = (
    "Trading", "Provisions", "Foods", "Maschinenbau", "Textiles", "Logistics", "Electronics", "Import Export",
    "Metals", "Chemie", "Distribution", "Holding", "Automotive", "Medical", "Agro", "Components",
)  # fmt: skip
FIRM_FORMS = ("GmbH", "B.V.", "Ltda", "S.A.", "AB", "A/S", "Ltd", "Co., Ltd", "SpA", "Inc", "KG", "NV")
AWKWARD_FIRMS = ("O'Neill & Sons", "Pêcheries d'Armor", "Smith+Jones", "L'Atelier du Cuir", "A:Z Fasteners")
UNICODE_FIRMS = (
    "Żółkiewski", "Dvořák a syn", "Ελληνικά Τρόφιμα", "上海进出口", "Şahin Tekstil", "Ђурђевић", "Łódź Metal",
)  # fmt: skip
PERSONS = (
    "J. Visser", "M. Almeida", "K. Nyström", "P. Müller", "S. Dubois", "A. Rossi", "T. Sato", "L. Chen",
)  # fmt: skip
VESSELS = (
    "Corrente do Norte", "Ever Steady", "MSC Aurora", "Nordic Breeze", "Hansa Bremen", "Stella Polaris",
    "CMA Loire", "Pacific Heron", "Maersk Skagen", "Yantian Express",
)  # fmt: skip
BOXES = ("20 ft", "40 ft", "40 ft high cube", "40 ft reefer")
FLAGS = ("PA", "LR", "MT", "DK", "SG", "PT", "CY")
INCOTERMS = ("EXW", "FCA", "FOB", "CFR", "CIF", "CPT", "CIP", "DDP")
CURRENCIES = ("EUR", "USD", "EUR", "GBP", "CHF", "EUR", "JPY")
OFFICES = ("NL000510", "DE004851", "BE212000", "FR002300", "ES004611", "PT000340", "SE004321", "ATWIE000")
# UNCL 1001: documents that accompany goods.
DOCUMENTS = ("271", "705", "730", "740", "851", "852", "853", "861", "864", "911", "935", "954", "380")
# UNCL 5153, and the usual rates.
DUTIES = (("CUD", ("0", "2.7", "3.7", "4.5", "6.5", "9", "12.8", "14.4")), ("EXC", ("1.2", "8.42")))
VAT_RATES = ("5.5", "9", "19", "20", "21", "23", "25")
REMARKS = (
    "Goods are represented by the declarant directly",
    "Partial delivery of contract",
    "Samples will be drawn on arrival at the terminal",
    "Temperature on arrival to be kept at 4 degrees",
    "Consignment is insured by the consignee",
    "Preference is claimed under the agreement with the country of origin",
)
