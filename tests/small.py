"""A collection small enough to know by heart: eight technologies, three products, four needs.

Its tables of words are its own, so that officers' additions to ``corpus/data`` change no answer
here; places are the real ones.
"""

import datetime as dt
import tempfile
import zlib
from functools import cache
from pathlib import Path

import numpy as np

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.records import Need, Product, Technology
from corpus.text import syllables
from indexes.hybrid import Index
from matcher.documents import documents
from matcher.match import Matcher
from matcher.model import DEFAULT
from matcher.search import Engine

TODAY = dt.date(2026, 11, 23)
TABLES = {
    "products.csv": """name,parent,means,wide,family,aliases,english,signs,related
cây ăn quả,,,x,,trái cây;hoa quả,fruit,trồng,
vải,cây ăn quả,,,cùi trắng,vải thiều;quả vải,lychee,sấy;quả,
nhãn,cây ăn quả,,,cùi trắng,nhãn lồng,longan,sấy;quả,
dứa,cây ăn quả,,,,khóm,pineapple,khoanh;cắt,
tôm,,,,,tôm sú,shrimp,nuôi,
""",
    "homographs.csv": "word,sense,product,signs\n",
    "dialect.csv": "group,north,south,other,avoid\ndứa,dứa,khóm,,\n",
    "abbreviations.csv": "short,long,context\nHTX,hợp tác xã,\n",
    "processes.csv": """process,stage,words,avoid
sấy,chế biến,sấy khô;sấy bơm nhiệt,
bảo quản,bảo quản,giữ tươi;giữ đỏ,
tưới,canh tác/nuôi trồng,tưới nhỏ giọt,
""",
    "pests.csv": "name,parent,wide,words,related,avoid\n",
    "stopwords.csv": "word\n" + "\n".join(["và", "cho", "của", "để", "là", "các", "có", "thế nào"]),
}
TECHNOLOGIES = (
    Technology(
        id="CN-1",
        name="Sấy vải bằng bơm nhiệt",
        summary="Giữ màu đỏ của vỏ, giảm hao hụt còn 3 %.",
        detail="Quả vải tươi được sấy ở 55 độ trong 20 giờ, cùi dẻo và thơm.",
        kind="quy trình",
        fields=("chế biến nông sản",),
        products=("vải",),
        trl=8,
        owner="Viện Thử Nghiệm",
        province="Bắc Giang",
        cost_from=150,
        cost_to=300,
        year=2021,
        valid_until=dt.date(2027, 12, 31),
        places_used=("Lục Ngạn, Bắc Giang", "Thanh Hà, Hải Dương"),
    ),
    Technology(
        id="CN-2",
        name="Bảo quản vải bằng khí điều biến",
        summary="Giữ đỏ vỏ quả vải 30 ngày khi đi tàu biển.",
        kind="thiết bị",
        fields=("bảo quản sau thu hoạch",),
        products=("vải",),
        trl=6,
        province="Bắc Ninh",
        cost_from=450,
        year=2024,
    ),
    Technology(
        id="CN-3",
        name="Sấy nhãn thành long nhãn",
        summary="Lò sấy hơi nước cho nhãn lồng Hưng Yên.",
        kind="quy trình",
        products=("nhãn",),
        trl=9,
        cost_to=80,
        valid_until=dt.date(2025, 6, 30),
    ),
    Technology(id="CN-4", name="Sấy tôm sú nguyên con", products=("tôm",), trl=7),
    Technology(
        id="CN-5",
        name="Bảo quản dứa cắt lát",
        summary="Màng bao giữ lát dứa tươi 12 ngày ở quầy mát.",
        products=("dứa",),
        trl=7,
        province="Kiên Giang",
        cost_from=180,
        year=2023,
    ),
    Technology(
        id="CN-6",
        name="Tưới nhỏ giọt cho cây ăn quả",
        summary="Tiết kiệm nước và phân bón trên đất dốc.",
        products=("cây ăn quả",),
        trl=8,
        year=2019,
    ),
    Technology(id="CN-7", name="Kho lạnh năng lượng mặt trời"),
    Technology(
        id="CN-8",
        name="Ao nuôi tôm tuần hoàn",
        summary="Ít thay nước, ít dịch bệnh.",
        detail="Chủng vi khuẩn bí mật BX-77 khử nitrit.",
        effect="Tỷ lệ sống 92 %.",
        products=("tôm",),
        trl=7,
        cost_from=900,
        contact="Ông Nguyễn Văn Thử",
        restricted=("detail", "effect", "contact", "cost_from"),
    ),
)
PRODUCTS = (
    Product(id="SP-1", name="Vải thiều Lục Ngạn", province="Bắc Giang", aliases=("vải",)),
    Product(id="SP-2", name="Dứa Tắc Cậu", province="Kiên Giang", aliases=("khóm",)),
    Product(id="SP-3", name="Vải sớm", province="Bắc Giang", parent="SP-1"),
)
NEEDS = (
    Need(id="N-1", product="SP-1", text="Sấy để giữ màu, vốn ít", budget=200, priority=1),
    Need(id="N-2", product="SP-1", text="Giữ đỏ vỏ khi đi tàu biển", budget=200, priority=2),
    Need(id="N-3", product="SP-2", text="Giữ tươi khoanh khóm cắt sẵn", budget=200),
    Need(id="N-4", product="SP-3", text="Tưới tiết kiệm nước trên đất dốc"),
)


class Tiny:
    """The syllables of a text thrown into sixteen boxes: like texts get like vectors."""

    name, dim = "tí-hon", 16

    def passages(self, texts):
        return np.stack([self._vector(text) for text in texts])

    queries = passages

    def _vector(self, text):
        boxes = np.full(self.dim, 1e-3, np.float32)
        for span in syllables(text.lower()):
            boxes[zlib.crc32(span.text.encode()) % self.dim] += 1
        return boxes / np.linalg.norm(boxes)


def write_tables(folder: Path) -> Path:
    """Write the small tables of words into ``folder``."""
    for name, text in TABLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@cache
def lexicon() -> Lexicon:
    with tempfile.TemporaryDirectory() as folder:
        return Lexicon.load(write_tables(Path(folder)))


@cache
def places() -> Places:
    return Places.load()


def matcher(
    technologies=TECHNOLOGIES,
    products=PRODUCTS,
    needs=NEEDS,
    encoder=None,
    audience="public",
    weights=DEFAULT,
    as_of=TODAY,
    priorities=(),
) -> Matcher:
    """Index ``technologies`` and put a matcher on top, as ``service.workspace`` does."""
    rows = documents(technologies, lexicon())
    index = Index.build(rows.get(audience, rows["public"]), encoder)
    engine = Engine(index, encoder, lexicon(), places(), weights)
    known = technologies if audience == "all" else [each.public() for each in technologies]
    return Matcher.of(engine, known, products, needs, as_of, priorities=priorities)


@cache
def lexical() -> Matcher:
    return matcher()


@cache
def dense() -> Matcher:
    return matcher(encoder=Tiny())
