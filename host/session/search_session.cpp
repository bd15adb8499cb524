#include "host/session/search_session.hpp"

#include <ATen/Parallel.h>

#include <memory>
#include <utility>

#include "host/genotype/genotype_json.hpp"
#include "host/graph/check.hpp"
#include "host/json/json_writer.hpp"
#include "host/search/exchanged_weights.hpp"
#include "host/search/memory.hpp"
#include "host/search/run_archive.hpp"
#include "host/search/run_check.hpp"
#include "host/search/memory_limit.hpp"
#include "host/search/start_check.hpp"
#include "host/search/swap.hpp"
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

/// Stages divide the epochs of a search, so that one of them cannot go on for more (--continue).
void require_same_stages(const Search& search, const Archive& archive, const OptionCatalog& catalog) {
  const std::int64_t planned = archived_config(archive, catalog).search.epochs, now = search.config().search.epochs;
  if (planned != now && !search.later_networks().empty())
    throw Error(ErrorCode::usage, archive.name() + ": strategy.schedule=" +
                                      search.strategy().choices().at(std::string(Schedule::slot.name)).part +
                                      " divides the epochs of a search into stages, so that one of search.epochs=" +
                                      std::to_string(planned) + " cannot go on to " + std::to_string(now) +
                                      "; start a new search of that length");
}

/// Forgets the swaps that a checkpoint holds.
class SearchRecorder final : public Recorder {
 public:
  template <class... Arguments>
  explicit SearchRecorder(SwapJournal& journal, const Search& search, Arguments&&... arguments)
      : Recorder(std::forward<Arguments>(arguments)...), journal_(journal), search_(search) {}
  void checkpoint() override {
    Recorder::checkpoint();
    journal_.forget(search_.position().at.step);
  }

 private:
  SwapJournal& journal_;
  const Search& search_;
};

/// Null, and said, where none can be made: the search needs none.
std::unique_ptr<SwapServer> swap_server(const std::filesystem::path& archive, SessionObserver& observer) {
  try {
    return std::make_unique<SwapServer>(archive);
  } catch (const Error& error) {
    observer.on_line(std::string("mixop swap cannot reach this search: ") + error.what());
    return nullptr;
  }
}

/// What mixop swap prints: {"accepted", "step", "epoch", "strategy", "parts", "reason"}: the strategy and parts that are
/// in force from that step on, or are and stay.
std::string swap_answer(bool accepted, const StrategyChange& in_force, const std::string& reason) {
  JsonWriter json(JsonWriter::Style::compact);
  json.begin_object().member("accepted", accepted).member("step", in_force.step).member("epoch", in_force.epoch);
  json.member("strategy", in_force.strategy).key("parts").begin_object();
  for (const auto& [slot, choice] : in_force.parts) json.member(slot, choice.part);
  return json.end().member("reason", reason).end().text();
}

}  // namespace

SearchSession::SearchSession(const SearchRequest& request, const Application& application)
    : application_(application),
      weights_(request.weights.empty() ? nullptr : WeightFile::open(request.weights)),
      setup_(request, application, kRules),
      search_(search_of(setup_.resumed(), setup_.config(), setup_.options(), setup_.data(), application,
                        setup_.config().search.batch)),
      journal_(setup_.request().out, setup_.resumed() != nullptr) {
  try_smallest_batch(search_);
  if (setup_.resumed() != nullptr) {
    require_same_stages(search_, *setup_.resumed(), application.catalog);
    restore(search_, *setup_.resumed());
  }
  if (weights_ != nullptr) notes_ = put_weights(*weights_, search_.network());
  journal_.forget(search_.position().at.step);
  for (const StrategyChange& swap : journal_.left()) {
    try {
      search_.require_possible(swap);
    } catch (const Error& error) {
      throw Error(ErrorCode::bad_data, setup_.request().out.string() + ".swaps, the swap of step " +
                                           std::to_string(swap.step) + ": " + error.what() +
                                           "; load the plugins that it had, or move the file away to go on without");
    }
  }
  told_ = search_.history().strategies.size();
}

void SearchSession::tell_stage(SessionObserver& observer) {
  const SearchStage stage = search_.stage();
  if (stage.first == 0 || stage.first != search_.position().at.epoch || search_.position().step_in_epoch != 0) return;
  const std::string first = std::to_string(stage.first + 1), last = std::to_string(stage.end);
  SpaceKeys keys = search_.config().space;
  keys.layers += stage.more_layers;
  observer.on_line((first == last ? "epoch " + first : "epochs " + first + " to " + last) +
                   (stage.network == stage.first
                        ? ": a new network (" + search_.task().size_text(keys) + "), its weights and alphas made anew"
                        : ": another stage on the same network, the momenta of its weights made anew"));
}

void SearchSession::take_swaps(SwapServer* server, SessionObserver& observer) {
  tell_stage(observer);
  const auto& strategies = search_.history().strategies;
  for (; told_ < strategies.size(); ++told_)  // by the config's schedule
    observer.on_line("from step " + std::to_string(strategies[told_].step) + ": " +
                     difference(strategies[told_ - 1], strategies[told_]));
  for (const StrategyChange& change : journal_.due(search_.position().at.step)) {
    const std::string what = difference(search_.history().strategies.back(), change);
    search_.exchange(change.strategy, change.parts);
    observer.on_line("from step " + std::to_string(change.step) + ", as before the interruption: " + what);
    told_ = search_.history().strategies.size();
  }
  if (server != nullptr)
    server->serve([&](const std::string& request) { return answer_swap(request, observer); });
}

std::string SearchSession::answer_swap(const std::string& request, SessionObserver& observer) {
  const StrategyChange before = search_.history().strategies.back();
  const auto refused = [&](const std::string& reason) {
    return swap_answer(false, before, reason + "; the search goes on as it was");
  };
  if (!journal_.left().empty())
    return refused("this search has still to take again what was swapped before its interruption, up to step " +
                   std::to_string(journal_.left().back().step) + "; ask again after it");
  try {
    const StrategyChange wanted = swapped(application_.plugins, application_.catalog, before, swap_request(request));
    const std::string what = difference(before, wanted);
    if (what.empty()) return refused("all of that is in force already");
    search_.exchange(wanted.strategy, wanted.parts);
    const StrategyChange& now = search_.history().strategies.back();
    observer.on_line("from step " + std::to_string(now.step) + ": " + what);
    told_ = search_.history().strategies.size();
    try {
      journal_.add(now);
    } catch (const Error& error) {
      return swap_answer(true, now, std::string("not safe before the next checkpoint: ") + error.what());
    }
    return swap_answer(true, now, "");
  } catch (const Error& error) {
    return refused(error.what());
  }
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
  SearchRecorder recorder(
      journal_, search_, setup_.request().out, [&] { return archive_of(search_, setup_.texts(), setup_.provenance()); },
      [&] { return search_.data().replaced(); }, open_metrics(setup_, search_), search_.task(), observer);
  for (const std::string& line : setup_.notes()) observer.on_line(line);
  for (const std::string& line : notes_) observer.on_line(line);
  if (finished) return run_advised(search_, recorder, interrupt, search_.config());
  const std::unique_ptr<SwapServer> server = swap_server(setup_.request().out, observer);
  announce(observer);
  search_.before_step([&] { take_swaps(server.get(), observer); });
  const RunEnd end = run_advised(search_, recorder, interrupt, search_.config());
  search_.before_step({});
  if (server != nullptr)
    server->set_farewell(swap_answer(false, search_.history().strategies.back(),
                                     "the search has ended; mixop search --resume or --continue goes on with it"));
  return end;
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
  if (!search_.later_networks().empty() && config.search.pretrain_epochs >= search_.stage().end - search_.stage().network)
    observer.on_line("the alphas stay where each stage starts them, for search.pretrain_epochs (" +
                     std::to_string(config.search.pretrain_epochs) + ") covers all epochs of a stage");
  for (const std::string& name : unused_alphas(search_.network().graph()))
    observer.on_line("no cell of this network reads the alphas '" + name + "', so they are not searched and the genotype "
                     "has none of theirs; more space.layers may bring such a cell");
}

RunForecast forecast(const SearchRequest& request, const Application& application) {
  PlannedRun run(request, application, kRules);
  const StrategySchedule strategies = strategies_of(run.config);
  for (const std::int64_t epoch : strategies.epochs()) (void)application.plugins.strategy(strategies.in(epoch).strategy);
  RunForecast forecast{run.config, {}, run.data_missing};
  const auto weights = request.weights.empty() ? nullptr : WeightFile::open(request.weights);
  if (!run.data) return forecast;
  Search search = search_of(run.archive ? &*run.archive : nullptr, run.config, run.options, *run.data, application,
                            largest_trial(run.config.search.batch));
  try_smallest_batch(search);
  if (weights != nullptr) (void)put_weights(*weights, search.network());  // which may not fit
  forecast.peak_memory = predict_peak_memory(search);
  return forecast;
}

RunInputs inputs_of(const SearchRequest& request, const Application& application) {
  return RunInputs(request, application, kRules);
}

}  // namespace mixop
