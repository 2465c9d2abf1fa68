// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/module.h"

namespace bedplate::app {

Module Module::migrations(std::span<const EmbeddedFile> files) && {
  migrations_ = files;
  return std::move(*this);
}

Module Module::scopes(std::initializer_list<std::string_view> names, ScopeHolders holders) && {
  for (std::string_view name : names) scopes_.push_back({std::string(name), holders});
  return std::move(*this);
}

Module Module::cli(CommandSpec spec, CommandBody body) && {
  commands_.push_back({std::move(spec), std::move(body)});
  return std::move(*this);
}

Module Module::after_restore(std::function<Result<void>(Host&)> body) && {
  restore_hooks_.push_back(std::move(body));
  return std::move(*this);
}

Module Module::key_file(const std::string& setting) && {
  key_file_ = &setting;
  return std::move(*this);
}

Result<void> Module::wire_into(Host& host) const {
  host.declare_scopes(scopes_);
  host.declare_jobs(jobs_);
  host.declare_crons(crons_);
  host.declare_event_types(event_types_);
  if (!consumer_.handlers.empty()) {
    events::ConsumerDeclaration consumer = consumer_;
    consumer.name = name();
    host.declare_consumer(std::move(consumer));
  }
  api::Api api = api_;
  for (const auto& step : steps_)
    if (Result<void> done = step(host, api); !done) return done;
  if (!api.operations().empty()) host.serve_module(std::move(api));
  return {};
}

}  // namespace bedplate::app
