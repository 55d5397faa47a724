// `ring recover`: the settings are read anew for the voters that the ring is to have, the rest is
// RingMember's. Failure paths: settings that cannot be read or do not name this member; what
// RingMember refuses. Nothing has changed then.
#include <fmt/format.h>

#include "sidecar/app/app_parts.h"

namespace ringside::app {

namespace {

using admin::Trouble;
using admin::TroubleWord;

std::vector<std::string> named(const std::vector<config::Voter>& voters) {
  std::vector<std::string> all;
  for (const auto& voter : voters) {
    all.push_back(fmt::format("{}@{}", voter.id, voter.address.to_string()));
  }
  return all;
}

admin::RecoveryAnswer answer_of(const Result<RingMember::Recovery>& result,
                                admin::RecoveryView view) {
  if (!result) {
    const bool refused = result.error().code == ErrorCode::kRefused;
    return Trouble{refused ? TroubleWord::kRecoveryRefused : TroubleWord::kRecoveryFailed,
                   result.error().message};
  }
  const coord::Rebirth* const found = &result->found;
  view.unfinished = result->unfinished;
  view.birth = found->birth;
  view.last = found->last;
  view.commit = found->commit_point;
  view.beyond = found->beyond_committed;
  view.znodes = found->znodes;
  view.sessions = found->sessions;
  view.damage = found->doubt;
  return view;
}

}  // namespace

Status App::Parts::recover(bool go, std::function<void(admin::RecoveryAnswer)> answered) {
  return loop.post([this, go, answered = std::move(answered)] {
    if (!listening || finishing) {
      answered(Trouble{TroubleWord::kRecoveryRefused, "this sidecar starts or stops"});
    } else {
      recover_now(go, answered);
    }
  });
}

void App::Parts::recover_now(bool go, const std::function<void(admin::RecoveryAnswer)>& answered) {
  auto fresh = source.read();
  if (!fresh) {
    return answered(Trouble{TroubleWord::kRecoveryRefused, fresh.error().front().to_string()});
  }
  // Who the voters are, and nothing else of what needs a restart.
  config::Settings wanted = *settings;
  wanted.ring.voters = fresh->ring.voters;
  wanted.ring.id = fresh->ring.id;
  wanted.ring.advertise = fresh->ring.advertise;
  const RingIdentity identity = identify(wanted, coord::MemberId{});
  const RingIdentity now = ring.identity();
  if (now.voter && (!identity.voter || identity.self != now.self)) {
    return answered(Trouble{
        TroubleWord::kRecoveryRefused,
        fmt::format("ring.voters of the settings does not name this member ({}): write the voters "
                    "that the ring is to have, this one among them",
                    now.self.value)});
  }
  admin::RecoveryView view;
  view.id = now.self;
  view.voters = named(identity.voters);
  view.old_voters = named(now.voters);
  if (!go) {
    return ring.plan_recovery([answered, view](const Result<RingMember::Recovery>& found) {
      answered(answer_of(found, view));
    });
  }
  view.done = true;
  ring.recover(wanted.ring,
               [this, answered, view, wanted](const Result<RingMember::Recovery>& found) {
                 if (found) {
                   auto changed = *settings;
                   changed.ring = wanted.ring;
                   settings = std::make_shared<const config::Settings>(std::move(changed));
                   view_store->changed();
                 }
                 answered(answer_of(found, view));
               });
}

}  // namespace ringside::app
