#include "host/session/search_session.hpp"

#include <ATen/Parallel.h>

#include "host/genotype/genotype_json.hpp"
#include "host/graph/check.hpp"
#include "host/search/memory.hpp"
#include "host/search/run_archive.hpp"
#include "host/search/run_check.hpp"
#include "host/search/memory_limit.hpp"
#include "host/search/start_check.hpp"
#include "host/session/advice.hpp"
#include "host/session/recorder.hpp"

namespace mixop {
namespace {

const RunRules kRules{archived_config};

/// Refused, where it is, before its memory is taken for steps of `batch`. The config of a resumed search comes from its
/// archive, whose weights bound what it may mean.
Search search_of(const Archive* resumed, const Config& config, const ComponentOptions& options,
                 const DatasetHandle& data, const Application& application, std::int64_t batch) {
  const MeasuredNetwork network = measured_supernet(config, application.plugins, options, data.info());
  if (resumed != nullptr) require_stored(*resumed, all_parameters(network));
  require_memory(network, config, task_of(data.info().kind), batch);
  return Search(config, application.plugins, options, data);
}

}  // namespace

SearchSession::SearchSession(const SearchRequest& request, const Application& application)
    : setup_(request, application, kRules),
      search_(search_of(setup_.resumed(), setup_.config(), setup_.options(), setup_.data(), application,
                        setup_.config().search.batch)) {
  try_smallest_batch(search_);
  if (setup_.resumed() != nullptr) restore(search_, *setup_.resumed());
}

/// Does once what every checkpoint needs, so that no epoch is lost to what could be known at the start.
void SearchSession::try_checkpoint() {
  require_readable(search_.history().genotypes.back());
  (void)archive_of(search_, setup_.texts(), setup_.provenance()).finish();
}

RunEnd SearchSession::run(SessionObserver& observer, const std::atomic<int>& interrupt) {
  const SearchPosition& at = search_.position().at;
  const bool finished = at.epoch == at.epochs || !search_.history().stop_reason.empty();
  if (finished)
    observer.on_line("finished before, after epoch " + std::to_string(at.epoch) + ": nothing is left to do" +
                     (search_.history().stop_reason.empty() ? "; for more epochs: --continue --set search.epochs=N" : ""));
  else
    try_checkpoint();
  Recorder recorder(
      setup_.request().out, [&] { return archive_of(search_, setup_.texts(), setup_.provenance()); },
      [&] { return search_.data().replaced(); }, open_metrics(setup_, search_), search_.task(), observer);
  for (const std::string& line : setup_.notes()) observer.on_line(line);
  if (!finished) announce(observer);
  return run_advised(search_, recorder, interrupt, search_.config());
}

/// One line on what is searched, where and on what.
void SearchSession::announce(SessionObserver& observer) {
  const Config& config = search_.config();
  observer.on_line("searching " + config.space.name + " (" + search_.task().size_text(config.space) + ") by " +
                   config.search.strategy + " on " + setup_.data().name() + ", " +
                   std::to_string(search_.data().steps_in(search_.position().at.epoch)) + " steps an epoch, " +
                   device_text(config.device) + ", " + std::to_string(at::get_num_threads()) + " thread(s)");
  if (const std::string fewer = fewer_threads(config.threads); !fewer.empty()) observer.on_line(fewer);
  for (const std::string& note : setup_.data().info().notes) observer.on_line(note);
  if (config.alphas.lr == 0)
    observer.on_line("alphas.lr is 0, so the alphas stay where they start and the genotype is not searched");
  if (config.search.pretrain_epochs >= config.search.epochs)
    observer.on_line("the alphas stay where they start, for search.pretrain_epochs (" +
                     std::to_string(config.search.pretrain_epochs) + ") covers all of search.epochs (" +
                     std::to_string(config.search.epochs) + ")");
  for (const std::string& name : unused_alphas(search_.network().graph()))
    observer.on_line("no cell of this network reads the alphas '" + name + "', so they are not searched and the genotype "
                     "has none of theirs; more space.layers may bring such a cell");
}

RunForecast forecast(const SearchRequest& request, const Application& application) {
  PlannedRun run(request, application, kRules);
  (void)application.plugins.strategy(run.config.search.strategy);
  RunForecast forecast{run.config, {}, run.data_missing};
  if (!run.data) return forecast;
  Search search = search_of(run.archive ? &*run.archive : nullptr, run.config, run.options, *run.data, application,
                            largest_trial(run.config.search.batch));
  try_smallest_batch(search);
  forecast.peak_memory = predict_peak_memory(search);
  return forecast;
}

RunInputs inputs_of(const SearchRequest& request, const Application& application) {
  return RunInputs(request, application, kRules);
}

}  // namespace mixop
