"""Everybody who may ask the API for something: a person in each role, keys, and who is nobody (any more)."""

from hashlib import sha256
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.rights import KEY, ROLES, Role
from chalicelib.domain.user import ADMINISTRATOR_ROLES, TwoFactor, User, UserRole
from chalicelib.services.begin_session import From, InPlace, begin, begin_in_place
from chalicelib.services.issue_key import Access, issue_admin_key, issue_customer_key
from chalicelib.store import users
from tests.chalicelib.api.world import ACCOUNT, World

HOME: Final = From("127.0.0.1", "tests")
CONFIRMED: Final = TwoFactor(confirmed_ms=1, last_step=0)


def person(world: World, role: UserRole, account: str = ACCOUNT.id, **more: object) -> User:
    """A user in that role; administrators have an authenticator."""
    house = role in ADMINISTRATOR_ROLES
    name = f"{role}-{account}" if not house else role
    user = User(
        id=user_id(role, account),
        account=None if house else account,
        role=role,
        email=f"{name}@example.com",
        name=role,
        created_ms=world.now_ms(),
        two_factor=CONFIRMED if house else None,
    )
    user = msgspec.structs.replace(user, **more)
    assert users.create(user)
    return user


def user_id(role: UserRole, account: str = ACCOUNT.id) -> str:
    """The id of the person in that role, the same in every world."""
    name = role if role in ADMINISTRATOR_ROLES else f"{role}-{account}"
    return f"usr_0{''.join(ids.CROCKFORD[octet & 31] for octet in sha256(name.encode()).digest()[:25])}"


def logged_in(world: World, user: User) -> str:
    """The token of a session of the user."""
    return begin(user, HOME, world.now_ms()).token


def tokens(world: World) -> dict[Role, str]:
    """A token of each role: `key` is the account's key."""
    return {role: world.live if role == KEY else logged_in(world, person(world, role)) for role in ROLES}


def impersonator(world: World, role: UserRole = "support") -> str:
    """The token of a session in which an administrator acts as the account's owner."""
    user = users.get(user_id(role)) or person(world, role)
    place = InPlace(account=ACCOUNT.id, role="owner", who=f"user:{user.id}", user=user)
    return begin_in_place(place, HOME, world.now_ms()).token


def revoked(world: World) -> str:
    """The token of a session of before its user changed the password."""
    user = person(world, "viewer", generation=1)
    return logged_in(world, msgspec.structs.replace(user, generation=0))


def scoped_keys(world: World, customer: str, admin: str) -> tuple[str, str]:
    """Keys, a customer's and an administrator's, each with one scope."""
    return (
        issue_customer_key(ACCOUNT.id, "live", "scoped", world.now_ms(), Access(scopes=(customer,))).text,
        issue_admin_key("scoped", world.now_ms(), Access(scopes=(admin,))).text,
    )
