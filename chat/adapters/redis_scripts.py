"""What Redis does for the room in one step: number and tell, remember and tell, count and tell.

Each script is whole or not at all. All keys of one are of one show, thus of one cluster slot.
"""

from typing import Final

_SEQUENCE: Final = """\
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local known = redis.call('HMGET', KEYS[1], 'epoch', 'run', 'offset')
local epoch, offset = known[1], tonumber(known[3])
if not epoch or known[2] ~= run then
  epoch, offset = ARGV[1], 0
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'run', run, 'offset', 0)
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""
"""KEYS: sequence, log. ARGV: an epoch for a store that has none or has been restarted (what it had
written last may be lost: numbers would be used twice), seconds to keep everything."""

NUMBER: Final = (
    """\
local done = redis.call('GET', KEYS[4])
if done then return done end
"""
    + _SEQUENCE
    + """\
offset = redis.call('HINCRBY', KEYS[1], 'offset', 1)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], string.format('%.0f-0', offset), 'e', ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[2])
if ARGV[5] ~= '0' then
  redis.call('SET', KEYS[4], 'done', 'EX', ARGV[5])
end
redis.call('SPUBLISH', KEYS[3], 'n' .. epoch .. string.format('%016x', offset) .. ARGV[3])
return 'new'
"""
)
"""Give an event its number, remember it and tell it; nothing when its key was seen before.

KEYS: sequence, log, events, once. ARGV: epoch, seconds to keep, the event, how many to keep,
seconds to remember the key (0: it has none)."""

TAIL: Final = (
    _SEQUENCE
    + """\
local entries
if ARGV[3] == epoch then
  entries = redis.call('XRANGE', KEYS[2], '(' .. ARGV[4] .. '-0', '+')
else
  entries = redis.call('XRANGE', KEYS[2], '-', '+')
end
return {epoch, offset, entries}
"""
)
"""Where the sequence ends and its last events: those after a place, or all that are kept.

KEYS: sequence, log. ARGV: epoch, seconds to keep, the epoch and offset of the place."""

SAY: Final = """\
local done = redis.call('GET', KEYS[4])
if done then return {done == 'shown' and 'again' or done, 0} end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local slow_ms = tonumber(ARGV[8])
local spoke_ms = slow_ms > 0 and redis.call('GET', KEYS[7])
if spoke_ms and now_ms < spoke_ms + slow_ms then return {'slow', spoke_ms + slow_ms} end
local fits, own = true, ARGV[4] == '0'
if not own then
  local tick = string.format('%.0f', time[1] * 1000000 + time[2] - time[2] % ARGV[5])
  local was = redis.call('HMGET', KEYS[3], 'tick', 'second', 'said', 'shown', 'up_to_1',
    'up_to_2', 'up_to_3')
  local used = {0, 0, 0}
  if was[1] == tick then used = {tonumber(was[5]), tonumber(was[6]), tonumber(was[7])} end
  local said, shown = tonumber(was[3] or 0), tonumber(was[4] or 0)
  if was[2] ~= time[1] then
    if said > shown then
      local rate = {type = 'thinned', said = said, shown = shown}
      redis.call('SPUBLISH', KEYS[1], 't' .. cmsgpack.pack(rate))
    end
    said, shown = 0, 0
  end
  local first = tonumber(ARGV[4])
  for part = first, 3 do fits = fits and used[part] < tonumber(ARGV[9 + part]) end
  if fits then
    shown = shown + 1
    for part = first, 3 do used[part] = used[part] + 1 end
  end
  redis.call('HSET', KEYS[3], 'tick', tick, 'second', time[1], 'said', said + 1, 'shown', shown,
    'up_to_1', used[1], 'up_to_2', used[2], 'up_to_3', used[3])
  redis.call('EXPIRE', KEYS[3], ARGV[3])
end
local verdict = fits and 'shown' or 'thinned'
redis.call('SET', KEYS[4], verdict, 'EX', ARGV[6])
if not fits then return {verdict, 0} end
local kept = string.sub(ARGV[1], 2)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'said', kept)
redis.call('XTRIM', KEYS[2], 'MINID', string.format('%.0f', now_ms - ARGV[3] * 1000))
redis.call('EXPIRE', KEYS[2], ARGV[3])
local packed = own and string.sub(kept, string.find(kept, '\\0', 1, true) + 1) or kept
redis.call('XADD', KEYS[5], '*', 'said', packed, 'shadowed', own and '1' or '0')
redis.call('EXPIRE', KEYS[5], ARGV[3])
local dropped = redis.call('XTRIM', KEYS[5], 'MAXLEN', ARGV[7])
if dropped > 0 then
  redis.call('INCRBY', KEYS[6], dropped)
  redis.call('EXPIRE', KEYS[6], ARGV[3])
end
if ARGV[9] ~= '0' then
  redis.call('SET', KEYS[7], string.format('%.0f', now_ms), 'EX', ARGV[9])
end
redis.call('SPUBLISH', KEYS[1], ARGV[1])
return {verdict, 0}
"""
"""Remember a saying and tell it, as slow mode and the room's budget of this tick allow, once for
its key. Where it is too soon it is told until when; what is not shown does not count.

The budget has parts (`chat.core.budget`); what only its author is told uses none of it.
KEYS: events, talk, budget, once, unarchived, how many of those were dropped, spoke.
ARGV: the message, how many to keep, each how many seconds, its part (0: none), microseconds of a
tick, seconds to remember its key, how many may wait for the archive, milliseconds between two
sayings of its author, seconds to remember when it was (0: not at all), and the sayings in a tick up
to each part."""

CHEER: Final = """\
redis.call('INCRBY', KEYS[2], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return redis.call('SPUBLISH', KEYS[1], ARGV[1])
"""
"""Add hearts and tell how many. KEYS: events, hearts. ARGV: the message, how many, seconds
to keep."""

FORGET: Final = """\
local wordless = {'deleted', 'order', 'sanction', 'moderator', 'followed'}
local function is_wordless(event)
  for _, kind in ipairs(wordless) do
    if string.find(event, 'type' .. string.char(160 + #kind) .. kind, 1, true) then return true end
  end
end
local function forget(stream, words)
  local gone = 0
  for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+')) do
    local told = not is_wordless(entry[2][2])
    for _, word in ipairs(words) do
      if told and string.find(entry[2][2], word, 1, true) then
        gone = gone + redis.call('XDEL', stream, entry[1])
        break
      end
    end
  end
  return gone
end
local account, said = ARGV[2], {unpack(ARGV, 3)}
forget(KEYS[1], said)
if forget(KEYS[2], {unpack(ARGV, 2)}) > 0 then
  redis.call('SET', KEYS[5], '1', 'EX', ARGV[1])
end
forget(KEYS[3], {account})
for _, answered in ipairs(redis.call('LRANGE', KEYS[4], 0, -1)) do
  if string.find(answered, account, 1, true) then redis.call('LREM', KEYS[4], 0, answered) end
end
return redis.call('EXISTS', KEYS[5])
"""
"""Forget sayings, and whatever else names them or an account, but for events in which nobody's name
or words are told: those say what others must do or know. Who was away while a numbered event that
is forgotten was told is told how things are instead: whether nodes have to be told so.
KEYS: talk, log, whispers, answered, outdated. ARGV: seconds to remember that nodes were not told
yet, the account, the ids of the sayings."""
