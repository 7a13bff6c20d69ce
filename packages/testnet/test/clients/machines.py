"""What a user does with machines by the published Python client, on a network of whose facts the first argument is.

The facts are the line of JSON of `twentysix up`, with the path of a small bootable disk as `disk`. Prints one JSON line
a check, in their order: {"check": name, "problem": null or text}. Each needs those before it.
"""

import asyncio
import hashlib
import io
import json
import sys
import tarfile
import tempfile
import traceback
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aleph.sdk.chains.ethereum import ETHAccount
from aleph.sdk.client import AuthenticatedAlephHttpClient
from aleph.sdk.client.vm_client import VmClient
from aleph.sdk.conf import Settings
from aleph.sdk.types import StorageEnum
from aleph_message.models import Chain
from aleph_message.models.execution.base import Payment, PaymentType
from aleph_message.status import MessageStatus

FACTS = json.loads(sys.argv[1])
# No variable of the environment sets it.
Settings.SCHEDULER_URL = FACTS["scheduler"]["api"]
API = FACTS["core"][0]["api"]
ACCOUNT = ETHAccount(bytes.fromhex(next(a["privateKey"] for a in FACTS["accounts"] if a["role"] == "alice")[2:]))
NODES = {node["hash"]: node["api"] for node in FACTS["compute"]}
READY = "tiny guest ready"
WAIT_SECONDS = 240
CHECKS = []

MAIN = """
import os

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = f"{scope['path']} {os.environ.get('GREETING')}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})
"""


def check(function):
    CHECKS.append(function)
    return function


async def until(look, wanted):
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            found = await look()
            if wanted(found):
                return found
            await asyncio.sleep(0.3)


async def stored(user, content):
    message, status = await user.session.create_store(
        file_content=content, storage_engine=StorageEnum.storage, sync=True
    )
    assert status == MessageStatus.PROCESSED, status
    return message.item_hash


class User:
    session: AuthenticatedAlephHttpClient
    vms: VmClient | None = None
    disk: str
    instance: str
    node: str
    backup: Path

    async def vm(self):
        return await self.session.crn.get_vm(self.node, self.instance)

    async def boots(self, count):
        """Waits until the log tells of so many boots."""
        async with asyncio.timeout(WAIT_SECONDS):
            seen = 0
            async for frame in self.vms.get_logs(self.instance):
                told = json.loads(frame)
                assert told.get("status") != "failed", told
                seen += told.get("type") == "stdout" and READY in told["message"]
                if seen == count:
                    return

    async def done(self, answer, status=200):
        assert answer[0] == status, answer
        return answer[1]


@check
async def a_program_is_published_and_answers_on_every_node(user):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("main.py", MAIN)
    message, status = await user.session.create_program(
        program_ref=await stored(user, archive.getvalue()),
        entrypoint="main:app",
        runtime=FACTS["runtimes"]["python"],
        memory=256,
        environment_variables={"GREETING": "hello"},
        sync=True,
    )
    assert status == MessageStatus.PROCESSED, status
    for api in NODES.values():
        async with aiohttp.ClientSession() as session:

            async def ask():
                async with session.get(f"{api}/vm/{message.item_hash}/some/path") as answer:
                    return answer.status, await answer.text()

            found = await until(ask, lambda answer: answer[0] not in (429, 503))
            assert found == (200, "/some/path hello"), found


@check
async def room_is_reserved_for_an_instance(user):
    user.disk = await stored(user, Path(FACTS["disk"]).read_bytes())
    message, status = await user.session.create_instance(
        rootfs=user.disk,
        rootfs_size=256,
        payment=Payment(chain=Chain.ETH, type=PaymentType.credit),
        memory=256,
        vcpus=1,
        ssh_keys=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLE alice"],
        metadata={"name": "of the Python client"},
        sync=True,
    )
    assert status == MessageStatus.PROCESSED, status
    user.instance = message.item_hash
    content = json.loads(message.item_content)
    async with VmClient(ACCOUNT, next(iter(NODES.values()))) as vms:
        reserved = json.loads(await user.done(await vms.reserve_resources(content)))
    assert reserved["status"] == "reserved", reserved


@check
async def the_scheduler_says_where_it_is(user):
    scheduler = user.session.scheduler
    allocation = await until(lambda: scheduler.get_allocation(user.instance), lambda found: found is not None)
    assert (allocation.vm_hash, allocation.vm_type) == (user.instance, "instance"), allocation
    assert NODES[allocation.node.node_id].rstrip("/") == allocation.node.url.rstrip("/"), allocation
    user.node = allocation.node.url.rstrip("/")
    plan = await scheduler.get_plan()
    assert user.instance in plan.plan[allocation.node.node_id].instances, plan
    assert {node.node_id for node in (await scheduler.get_nodes()).nodes} == set(NODES)
    assert await scheduler.get_allocation("0" * 64) is None
    user.vms = VmClient(ACCOUNT, user.node)


@check
async def it_is_listed_and_its_log_is_read_from_the_beginning(user):
    found = await until(user.vm, lambda vm: vm is not None and vm.running)
    assert 1 <= found.networking.mapped_ports["22"].host <= 65_535
    await user.boots(1)


@check
async def it_is_stopped_and_started(user):
    await user.done(await user.vms.stop_instance(user.instance))
    assert (await user.vm()).running is False
    started = json.loads(await user.done(await user.vms.start_instance(user.instance)))
    assert started == {"success": True, "successful": True, "failing": [], "errors": {}}, started
    assert (await user.vm()).running is True
    await user.boots(2)


@check
async def it_is_rebooted(user):
    await user.done(await user.vms.reboot_instance(user.instance))
    await user.boots(3)


@check
async def a_backup_is_made_and_downloaded(user):
    await user.done(await user.vms.create_backup(user.instance, skip_fsfreeze=True), 202)
    answer = await until(lambda: user.vms.get_backup(user.instance), lambda found: found[0] != 202)
    facts = json.loads(await user.done(answer))
    # Whoever reaches the node by another address keeps the path and the signature alone.
    parts = urlsplit(facts["download_url"])
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{user.node}{parts.path}?{parts.query}") as download:
            assert download.status == 200, await download.text()
            content = await download.read()
    assert len(content) == facts["size"], facts
    assert hashlib.sha256(content).hexdigest() == facts["checksum"].removeprefix("sha256:"), facts
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        rootfs = archive.extractfile("rootfs.qcow2").read()
    user.backup = Path(tempfile.mkdtemp()) / "rootfs.qcow2"
    user.backup.write_bytes(rootfs)
    await user.done(await user.vms.delete_backup(user.instance, facts["backup_id"]))


@check
async def it_is_restored_from_the_backup_and_from_a_volume(user):
    answer = json.loads(await user.done(await user.vms.restore_from_file(user.instance, user.backup)))
    assert answer["vm_hash"] == user.instance, answer
    await user.boots(4)
    await user.done(await user.vms.restore_from_volume(user.instance, user.disk))
    await user.boots(5)


@check
async def it_is_made_anew(user):
    await user.done(await user.vms.reinstall_instance(user.instance))
    await until(user.vm, lambda vm: vm.running)


@check
async def it_goes_into_rescue_mode_and_comes_back(user):
    status, text = await user.vms.enter_rescue(user.instance, user.disk)
    assert status in (200, 202), (status, text)

    async def state():
        return await user.vms.perform_operation(user.instance, "rescue", method="GET")

    found = await until(state, lambda answer: json.loads(answer[1]).get("status") != "in_progress")
    assert found[0] == 200, found
    await user.done(await user.vms.exit_rescue(user.instance))
    await until(user.vm, lambda vm: vm.running)


@check
async def a_stranger_is_refused(user):
    async with VmClient(ETHAccount(bytes([7]) * 32), user.node) as stranger:
        for answer in (
            await stranger.stop_instance(user.instance),
            await stranger.erase_instance(user.instance),
            await stranger.create_backup(user.instance),
        ):
            assert answer[0] == 403, answer
    assert (await user.vm()).running


@check
async def it_is_erased_and_forgotten(user):
    await user.done(await user.vms.erase_instance(user.instance))
    _, status = await user.session.forget([user.instance], "no longer needed", sync=True)
    assert status == MessageStatus.PROCESSED, status
    await until(user.vm, lambda vm: vm is None)


async def main():
    user = User()
    async with AuthenticatedAlephHttpClient(ACCOUNT, api_server=API) as session:
        user.session = session
        for function in CHECKS:
            problem = None
            try:
                async with asyncio.timeout(2 * WAIT_SECONDS):
                    await function(user)
            except BaseException:
                problem = traceback.format_exc()
            print(json.dumps({"check": function.__name__, "problem": problem}), flush=True)
            if problem is not None:
                break
        if user.vms is not None:
            await user.vms.close()


asyncio.run(main())
