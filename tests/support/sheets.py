"""What holds of a sheet, whichever it is: valid, alone, without scripts, readable without its pictures."""

from xml.etree.ElementTree import Element

import html5lib
from pages import text_of

LOADING = {"script", "link", "img", "iframe", "object", "embed", "base", "video", "audio", "source", "form"}


def read_sheet(html: str) -> Element:
    """The tree of a sheet that holds what every sheet has to."""
    tree: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    tags = [_name(each) for each in tree.iter()]
    assert not LOADING & set(tags)
    assert "default-src 'none'" in next(each for each in tree.iter("meta") if each.get("http-equiv")).get("content", "")
    assert not [each for each in tree.iter() if any(str(key).startswith("on") or key == "style" for key in each.attrib)]
    assert "@import" not in html
    assert all(part.startswith("#") for part in _urls(html))
    ids = [each.get("id") for each in tree.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    assert len(list(tree.iter("h1"))) == 1
    assert tree.get("lang") == "en"
    for figure in tree.iter("figure"):
        plots = [each for each in figure.iter() if _name(each) == "svg"]
        assert [plot.get("role") for plot in plots] == ["img"]
        named = {each.get("id"): text_of(each) for each in plots[0].iter() if _name(each) in {"title", "desc"}}
        assert all(named[name] for name in plots[0].get("aria-labelledby", "").split())
        assert list(figure.iter("table"))
    return tree


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _urls(html: str) -> list[str]:
    return [part.partition(")")[0].strip("'\"") for part in html.split("url(")[1:]]
