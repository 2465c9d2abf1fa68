// SPDX-License-Identifier: Apache-2.0
// The rules of tasks: who may touch which, what a change does. Every statement names the owner, so no caller reaches
// another's rows.
#pragma once

#include "apps/tasks/api.h"
#include "apps/tasks/store.h"
#include "bedplate/async/async.h"
#include "bedplate/auth/caller.h"
#include "bedplate/auth/user_data.h"
#include "bedplate/base/time.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/session.h"

namespace bedplate::tasks {

/// Immutable and shared by all threads. Another user's task answers like one that does not exist.
class Tasks final : public auth::UserDataOwner {
 public:
  /// `clock` outlives this.
  explicit Tasks(const Clock& clock) : clock_(clock) {}

  Async<Task> create(const auth::Caller& caller, sql::Transaction& db, const api::New<Task>& input) const;
  Async<Task> find(const auth::Caller& caller, sql::Reader& db, const api::Ref<Task>& input) const;
  Async<api::Page<Task>> list(const auth::Caller& caller, sql::Reader& db, const ListTasks& input) const;
  Async<Task> replace(const auth::Caller& caller, sql::Transaction& db,
                      const api::Replacement<Task>& input) const;
  Async<Task> patch(const auth::Caller& caller, sql::Transaction& db, const api::Changes<Task>& input) const;
  Async<void> remove(const auth::Caller& caller, sql::Transaction& db, const api::Ref<Task>& input) const;

  /// An account goes with its tasks.
  Async<void> delete_user_data(sql::Transaction& db, auth::UserId user) override;

 private:
  Async<Task> load_for_change(sql::Transaction& db, auth::UserId owner, TaskId id,
                              const api::IfMatch& if_match) const;
  Async<void> save(sql::Transaction& db, auth::UserId owner, const Task& before, Task& task) const;

  const Clock& clock_;
  const search::Index index_{kSearch};
};

}  // namespace bedplate::tasks
