#include "binding/encoder_wrap.h"

#include <optional>
#include <utility>

#include "binding/addon_data.h"
#include "binding/session.h"
#include "binding/waiter.h"

namespace parakeet {
namespace {

Napi::Object fromTicket(Napi::Env env, const Ticket& ticket, double seconds) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("ticket", ticket.number);
  object.Set("firstFrame", static_cast<double>(ticket.firstFrame));
  object.Set("final", static_cast<double>(ticket.final));
  object.Set("draft", static_cast<double>(ticket.draft));
  object.Set("computeSeconds", seconds);
  object.Set("grown", static_cast<double>(ticket.grown));
  object.Set("batch", ticket.batch);
  return object;
}

}  // namespace

Napi::Function EncoderWrap::define(Napi::Env env) {
  return DefineClass(
      env, "NativeEncoder",
      {throws<&EncoderWrap::push>("push"), throws<&EncoderWrap::finish>("finish"), throws<&EncoderWrap::flush>("flush"),
       rejects<&EncoderWrap::step>("step"), rejects<&EncoderWrap::save>("save"), rejects<&EncoderWrap::load>("load"),
       rejects<&EncoderWrap::close>("close")});
}

EncoderWrap::EncoderWrap(const Napi::CallbackInfo& info)
    : Wrap(info),
      handle_(handleOf<EncoderHandle>(info)),
      features_(info[1].As<Napi::Number>().Int32Value()),
      grid_(std::make_shared<StepGrid>(*info[2].As<Napi::External<StepGrid>>().Data())) {}
EncoderWrap::~EncoderWrap() { abandonHandle(std::move(handle_)); }

template <class Work>
void EncoderWrap::post(Work work) {
  handle_->worker().post([handle = handle_, work = std::move(work)] {
    if (handle->open()) work(handle->state());
  });
}

void EncoderWrap::handOver() {
  if (waiting_.empty()) return;
  post([all = std::exchange(waiting_, {})](EncoderSession& session) {
    for (const Frames& frames : all) session.push(*frames);
  });
}

Napi::Value EncoderWrap::push(const Napi::CallbackInfo& info) {
  Frames frames = toFrames(info[0], features_);
  grid_->push(frames->logMel.rows);
  waiting_.push_back(std::move(frames));
  return info.Env().Undefined();
}

Napi::Value EncoderWrap::finish(const Napi::CallbackInfo& info) {
  grid_->end();
  handOver();
  post([samples = info[0].As<Napi::Number>().Int64Value()](EncoderSession& session) { session.finish(samples); });
  return info.Env().Undefined();
}

Napi::Value EncoderWrap::flush(const Napi::CallbackInfo& info) {
  grid_->end();
  handOver();
  post([silence = info[0].As<Napi::Number>().Int32Value()](EncoderSession& session) { session.flush(silence); });
  return info.Env().Undefined();
}

Napi::Value EncoderWrap::step(const Napi::CallbackInfo& info) {
  if (!info[0].IsUndefined()) push(info);
  // A closed session is asked, so that it reports that it is closed.
  if (!grid_->due() && !handle_->flag()->cancelled()) return info.Env().Null();
  handOver();
  auto [promise, waiter] = waiterFor<std::optional<Ticket>>(
      info.Env(), handle_->flag(),
      [grid = grid_, ends = grid_->ends()](Napi::Env env, const std::optional<Ticket>& ticket, double seconds) {
        if (!ticket) {
          grid->noStep(ends);
          return env.Null();
        }
        grid->stepped(ticket->position, ends);
        return static_cast<Napi::Value>(fromTicket(env, *ticket, seconds));
      });
  handle_->worker().post([handle = handle_, waiter = std::move(waiter)]() mutable {
    Engine::instance().steps().add({[handle] { return handle->stateIfOpen(); }, std::move(waiter)});
  });
  return promise;
}

Napi::Value EncoderWrap::save(const Napi::CallbackInfo& info) {
  handOver();
  return saveState(info, handle_);
}

Napi::Value EncoderWrap::load(const Napi::CallbackInfo& info) {
  grid_->restore();
  handOver();
  return loadState(info, handle_, [grid = grid_](const EncoderSession& session) -> Environment::Settle {
    return [grid, position = session.position()](Napi::Env env) {
      grid->restored(position);
      return env.Undefined();
    };
  });
}

Napi::Value EncoderWrap::close(const Napi::CallbackInfo& info) { return closeHandle(info.Env(), handle_); }

Napi::Object wrapEncoder(Napi::Env env, std::shared_ptr<EncoderHandle> handle, int features, StepGrid grid) {
  return construct(env, env.GetInstanceData<AddonData>()->encoder, handle,
                   {Napi::Number::New(env, features), Napi::External<StepGrid>::New(env, &grid)});
}

}  // namespace parakeet
