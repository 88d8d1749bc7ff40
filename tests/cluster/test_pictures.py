"""Pictures in a store that all processes share, and nobody else gets at."""

from pathlib import Path
from urllib.parse import urlsplit

import requests

from tests.cluster.conftest import At
from tests.cluster.processes import Cluster
from tests.faults.site import MODEL
from tests.live.browserless import Person
from tests.live.test_pictures import PAINTER, differ, opened
from tests.services.photographs import photograph
from tests.serving import PASSWORD


def files_of(cluster: Cluster) -> list[Path]:
    return [path for path in cluster.folder.rglob("images/**/*") if path.is_file()]


def test_an_upload_at_one_web_is_seen_at_the_other_and_only_by_its_owner(alice: At, cluster: Cluster) -> None:
    upload = ("boat.jpg", photograph(320, 200), "image/jpeg")
    sent = alice(1).send("What is this?", model=MODEL, images=[upload])
    alice(1).follow(sent.reply_uuid)
    shown = alice(2).page(sent.conversation_uuid)
    address = shown.articles[0].originals[0]
    got = alice(2).session.get(address, timeout=60)
    assert opened(got.content).size == (320, 200)
    bob = Person(cluster.webs[1].url)
    bob.log_in("bob", PASSWORD)
    assert bob.get(urlsplit(address).path).status_code == 404
    assert len(cluster.bucket.names()) >= 2  # the picture and its thumbnail
    assert files_of(cluster) == []
    for name in cluster.bucket.names():
        direct = requests.get(f"{cluster.bucket.settings['S3_ENDPOINT_URL']}/pictures/{name}", timeout=60)
        assert direct.status_code == 403


def test_a_picture_that_a_worker_drew_is_seen_at_both_webs_and_edited(alice: At, cluster: Cluster) -> None:
    first = alice(1).send("Draw a red circle on a blue background", model=PAINTER)
    alice(2).follow(first.reply_uuid)
    drawn = [alice(number).page(first.conversation_uuid).replies[-1].originals[0] for number in (1, 2)]
    pictures = [opened(alice(1).session.get(address, timeout=60).content) for address in drawn]
    assert not differ(*pictures)
    second = alice(2).send("Make it green", first.conversation_uuid, model=PAINTER)
    alice(1).follow(second.reply_uuid)
    assert len(alice(2).page(first.conversation_uuid).replies[-1].originals) == 1
