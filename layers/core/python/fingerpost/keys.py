"""Every key shape, in one place. A `GlobalKey` has no account in it: the few look-ups that come before one is known.

All others are relative to `Tables.of(account)`, which puts `<account>#` in front of the partition key.
S is a scope: `*` the account, `p:<project>` what all of one project see, `p:<project>:u` what only some of its users
see, `p:<project>:u:<user>` what one of them does. `p:all` stands for every project.
"""

import hashlib

from .ports.table import GlobalKey, Key

ONLY = "-"  # the sort key of a partition that holds one row
ACCOUNT_SCOPE = "*"
EVERY_PROJECT = "p:all"
MAX_INDEXED_VALUE_BYTES = 400  # a longer value is indexed by its hash
PAGED_SHARDS = 4  # shards of the lists that have pages, which are those of actions
SESSION, DEVICE = "key#", "device#"  # begin sort keys beside a document
COUNT_LANES = 4  # links share marks and what waits for the sums by so many, so that a batch writes few rows of either


def project_scope(project: str) -> str:
    return f"p:{project}"


def users_scope(scope: str) -> str:
    """Within the scope of a project: what names its users, whoever they are."""
    return f"{scope}:u"


def user_scope(scope: str, user: str) -> str:
    return f"{scope}:u:{user}"


def owned(account: str, key: Key) -> Key:
    """The physical key of an account's row, for the redirect function's mixed batches."""
    return Key(f"{account}#{key.pk}", key.sk)


def link(domain: str, short_id: str) -> GlobalKey:
    """main. A scan: account, target, default URL, hints; a tombstone when deleted."""
    return GlobalKey(f"link#{domain}#{short_id}", ONLY)


def short_domain(domain: str) -> GlobalKey:
    """main. Whose a short domain is, which is not the deployment's own."""
    return GlobalKey(f"domain#{domain}", ONLY)


def closing(domain: str) -> Key:
    """main. That the account is giving a short domain back, so that no link is made on it; it expires."""
    return Key(f"closing#{domain}", ONLY)


def bearer(digest: str) -> GlobalKey:
    """main. Who an API key is, by the SHA-256 of the key in hex."""
    return GlobalKey(f"key#{digest}", ONLY)


def api_key(key: str) -> GlobalKey:
    """main. Who an API key is. Only its hash is stored."""
    return bearer(hashlib.sha256(key.encode()).hexdigest())


def key_of(digest: str) -> GlobalKey:
    """The same row, by the key's hash."""
    return GlobalKey(f"key#{digest}", ONLY)


def row_of(pk: str) -> GlobalKey:
    """The row of a key, by the partition that an operator's document names."""
    return GlobalKey(pk, ONLY)


def first_account() -> GlobalKey:
    """main. The account that a fresh local store begins with, and how far its demo has come."""
    return GlobalKey("first-account", ONLY)


def salt(day: str) -> GlobalKey:
    """main. The random salt of one day (yyyymmdd) for visitor hashes; it expires, and the hashes mean nothing more."""
    return GlobalKey(f"salt#{day}", ONLY)


def document(resource_id: str) -> Key:
    """main. One document: thng, product, collection, place, project, application, action type, operator, account."""
    return Key(f"t#{resource_id}", "doc")


def beside(resource_id: str, name: str) -> Key:
    """main. What a document is besides, as a thng is a room: a document of another kind under its id."""
    return Key(f"t#{resource_id}", name)


def access_of(actor: str) -> str:
    """The 24 hex digits by which the access of an operator, or a user's own one, is known."""
    return hashlib.sha256(f"access/{actor}".encode()).hexdigest()[:24]


def password(user: str) -> Key:
    """main. The hash of an application user's password; apart from the document, which lists and feeds carry around."""
    return Key(f"t#{user}", "password")


def session(user: str, at: int, digest: str) -> Key:
    """main. A pointer to one of a user's keys, oldest first."""
    return Key(f"t#{user}", f"{SESSION}{at:015d}#{digest}")


def tries(user: str, window: int) -> Key:
    """main. How often a user's password or activation code was tried in one window of time; it expires."""
    return Key(f"tries#{user}#{window}", ONLY)


def device(thng: str, project: str | None) -> Key:
    """main. The key of a thng that is a device, in one project or in none: which version, and whether it is valid."""
    return Key(f"t#{thng}", f"{DEVICE}{project or ONLY}")


def current(resource_id: str) -> Key:
    """main. Current properties and location, each attribute guarded by its own time."""
    return Key(f"t#{resource_id}", "now")


def histories(resource_id: str, property_key: str) -> str:
    """log. Partition of the values one property has had, newest last; with an empty key of where a thng was."""
    return f"p#{resource_id}#{property_key}" if property_key else f"l#{resource_id}"


def history(resource_id: str, property_key: str, at: int, value: str) -> Key:
    """log. One value at one time; the same value of the same time is the same row."""
    return Key(histories(resource_id, property_key), f"{moment(at)}#{_hash8(value)}")


def moment(at: int) -> str:
    """How a time begins the sort key of a history's rows: so that they sort as times do."""
    return f"{at:015d}"


def positions(scope: str) -> str:
    """main. Partition of where the places of a scope are, by geohash: a cell of any size is one range of it."""
    return f"g#{scope}"


def position(scope: str, geohash: str, place_id: str) -> Key:
    return Key(positions(scope), f"{geohash}#{place_id}")


def claim(kind: str, value: str) -> Key:
    """main. A name that only one resource of the account may have."""
    return Key(f"uniq#{kind}#{hash_of(value)}", ONLY)


def index(scope: str, kind: str, field: str, value: str, shard: int) -> str:
    """Partition of the ids (sort keys, newest last) of one kind; with `field=value` of those that have the value."""
    if not field:
        return f"x#{scope}#{kind}#{shard}"
    if len(value.encode()) > MAX_INDEXED_VALUE_BYTES:
        value = "sha256:" + hashlib.sha256(value.encode()).hexdigest()
    return f"x#{scope}#{kind}#{field}={value}#{shard}"


def names(scope: str, kind: str, shard: int) -> str:
    """Partition of the ids of one kind by name: sort keys are `name_row`s."""
    return f"n#{scope}#{kind}#{shard}"


def name_row(name: str, resource_id: str) -> str:
    return f"{name_prefix(name)}\0{resource_id}"


def name_prefix(name: str) -> str:
    """A name as far as it is indexed: 400 bytes, cut between characters. The document decides beyond that."""
    return name.replace("\0", " ").encode()[:MAX_INDEXED_VALUE_BYTES].decode(errors="ignore")


def shards_in(scope: str, shards: int) -> int:
    """How many shards a list of a kind with `shards` has in a scope. Few write what only some users see."""
    return 1 if ":u" in scope else shards


def shard_of(resource_id: str, shards: int) -> int:
    return 0 if shards == 1 else hashlib.sha256(resource_id.encode()).digest()[0] % shards


def action(action_id: str) -> Key:
    """main. One action with its context and reaction; the only write of a scan."""
    return Key(f"a#{action_id}", ONLY)


def links_of(evrythng_id: str) -> str:
    """main. Partition of the links of one thing, oldest first."""
    return f"link-of#{evrythng_id}"


def link_of(evrythng_id: str, created_at: int, domain: str, short_id: str) -> Key:
    return Key(links_of(evrythng_id), f"{created_at:015d}#{domain}#{short_id}")


def listed_link(made: str, domain: str, short_id: str) -> str:
    """The sort key of a link in lists of links: `made` is the id of the request that made it, so they are by time."""
    return f"{made}#{domain}#{short_id}"


def page_partition(partition: str, window: str) -> str:
    """Where the pages of one window of a list lie: in one of its shards, so that a batch fills one page, not four.

    Takes and answers physical partitions. Visits have one shard.
    """
    head, _, _shard = partition.rpartition("#")
    words = head.split("#", 3)
    if words[1] == "x" and shards_in(words[2], PAGED_SHARDS) > 1:
        return f"{head}#{shard_of(window, PAGED_SHARDS)}"
    return partition


def visits(domain: str, short_id: str) -> str:
    """log. Partition of the visits of a link by their actions' ids, newest last."""
    return f"v#{domain}#{short_id}"


def visit(domain: str, short_id: str, action_id: str) -> Key:
    """log. One visit of a link: whether it counts, who it was, and what decided where it went."""
    return Key(visits(domain, short_id), action_id)


def marks(domain: str, short_id: str, window: str) -> str:
    """log. Partition of the ids that have been counted, of one window of time and some of the account's links."""
    return f"m#{count_lane(domain, short_id)}#{window}"


def count_lane(domain: str, short_id: str) -> int:
    return shard_of(f"{domain}/{short_id}", COUNT_LANES)


def waiting(lane: int) -> str:
    """log. Partition of what has been counted in a lane and is not in the sums yet; sort keys are random."""
    return f"q#{lane}"


def turn(waiting_partition: str) -> Key:
    """log. How often a lane's waiting rows were moved into the sums; it stands before them."""
    return Key(waiting_partition, "!")


def hits(domain: str, short_id: str) -> str:
    """log. Partition of a link's sums: `sum` in all, `day#<yyyymmdd>` and `day#<yyyymmdd>#<slice>` by day."""
    return f"h#{domain}#{short_id}"


def account_hits(lane: int) -> str:
    """log. Partition of the account's sums by day, as far as the links of one lane add to them."""
    return hits(ACCOUNT_SCOPE, str(lane))


def hits_day(partition: str, day: str, part: str = "") -> Key:
    """One day's sums (yyyymmdd), or a slice of what one row does not hold of them."""
    return Key(partition, f"day#{day}#{part}" if part else f"day#{day}")


def visitors(scope: str, day: str) -> Key:
    """log. How many visitors a day had, of a link (`<domain>#<short id>`) or the account (`*`), once that was asked."""
    return Key(f"u#{scope}", day)


ADMINS = Key("admins", ONLY)  # main. Changes with every change of who is an admin, so that two at once see each other
RETENTION = "retentionDays"  # of the live row: how many days scans are kept
LIVE = Key("r", "live")  # main. Every live rule-set version of the account: `live:<owner>`, planned ones `then:<owner>`
ACCOUNT_RULES = "account"  # the owner of the account's own rules
APPLICATION_RULES = "app:"  # begins the owner of an application's rules


def rules_version(owner: str, number: int) -> Key:
    """main. One published version: author, time, size, where its rows are."""
    return Key(f"r#{owner}", f"v#{number:08d}")


def draft(owner: str, name: str) -> Key:
    """main. A draft of an owner's rules: how far it has come, what is wrong with it, where its rows are."""
    return Key(f"rd#{owner}", name)


def rules_chunks(set_id: str) -> str:
    """main. Partition of a compiled rule set's compressed, immutable rows, `0000` on."""
    return f"rc#{set_id}"


def reactor(project: str) -> Key:
    """main. All that reacts to events in a project: its scripts' filters, its declarative rules."""
    return Key(f"reactor#{project}", "live")


def reactor_logs(app: str) -> str:
    """log. Partition of the log of an application's scripts and rules, newest last; sort keys are the entries' ids."""
    return f"rl#{app}"


def run(event: str, app: str, name: str) -> Key:
    """log. That an event's run of one function, or one rule, of an application was begun, and whether it is over."""
    return Key(f"run#{event}#{app}#{name}", ONLY)


def audit(month: str, at: int, entry_id: str) -> Key:
    """main. The audit log of one month (yyyymm), oldest first; written in the changed row's transaction."""
    return Key(audits(month), f"{at:015d}#{entry_id}")


def audits(month: str) -> str:
    return f"j#{month}"


def audit_of(resource: str, at: int, entry_id: str) -> Key:
    """main. A pointer to the audit entry, under what was changed."""
    return Key(audits_of(resource), f"{at:015d}#{entry_id}")


def audits_of(resource: str) -> str:
    return f"jx#{resource}"


def connection(connection_id: str) -> GlobalKey:
    """main. One open WebSocket connection: whose it is and what it watches. Its messages name nothing else."""
    return GlobalKey(f"live#{connection_id}", ONLY)


def watchers(resource_id: str) -> str:
    """main. Partition of the connections that are told of a thing's changes."""
    return f"watch#{resource_id}"


def watcher(resource_id: str, connection_id: str, path: str) -> Key:
    return Key(watchers(resource_id), f"{connection_id}#{path}")


def presences(thng_id: str) -> str:
    """main. Partition of the open connections of a device."""
    return f"here#{thng_id}"


def presence(thng_id: str, connection_id: str) -> Key:
    return Key(presences(thng_id), connection_id)


def rate(bearer: str) -> Key:
    """log. How many requests a key has sent in the minute that its row names. `bearer` is a digest of the key."""
    return Key(f"rate#{bearer}", ONLY)


def bulk(bulk_id: str) -> Key:
    """main. One update of everything that a filter matched: what it says, and the ids it is for."""
    return Key(f"bulk#{bulk_id}", ONLY)


def bulk_done(bulk_id: str, resource_id: str) -> Key:
    """main. That one resource has had its update; written in the update's transaction."""
    return Key(f"bulk#{bulk_id}", f"done#{resource_id}")


def erasure(erasure_id: str) -> Key:
    """main. Something that is being forgotten, and how far that has come."""
    return Key(f"e#{erasure_id}", ONLY)


def idempotency(actor: str, key: str) -> Key:
    """main. The seed and the answer of a request with an Idempotency-Key."""
    return Key(f"idem#{actor}#{hashlib.sha256(key.encode()).hexdigest()}", ONLY)


def hash_of(text: str) -> str:
    """Of any text, also what no UTF-8 can say."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _hash8(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:8]
