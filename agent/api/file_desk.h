#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/api/file_intake.h"
#include "agent/ports/blob_shelf.h"
#include "shared/api/kept_text.h"
#include "shared/api/record_source.h"
#include "shared/api/router.h"
#include "shared/base/random.h"
#include "shared/base/result.h"
#include "shared/base/time.h"

namespace duhui::agent {

/// Takes files from pages and commands, in pieces that may come days apart, and reads them back to
/// who may see a record that names them.
///
///   POST   /files                 {"name","size","sha256"?,"keep_location"?}: an upload begins
///   HEAD   /files/uploads/{id}    Upload-Offset: where it goes on
///   GET    /files/uploads/{id}    the same, and in the end the file
///   PATCH  /files/uploads/{id}    bytes from Upload-Offset on; the last of them bring the file
///   DELETE /files/uploads/{id}    given up
///   GET    /files/{sha256}        ?record=ID, &thumbnail=1
///
/// An upload is its beginner's alone. What is known of it survives a restart;
/// of one that is hidden, as soon as it can be read again. Used on one thread; disk and pictures
/// are for the threads of whoever carries out api::Deferred.
class FileDesk {
 public:
  /// All outlive this and the answers under way.
  struct Parts {
    api::RecordSource& source;
    BlobShelf& shelf;
    api::KeptText& kept;
    Random& random;
    std::function<WallTime()> now;
    FileSettings settings{};
  };

  /// Reads what was kept; what cannot be read is as if nothing had begun.
  explicit FileDesk(Parts parts);

  /// This must outlive the router.
  void add_to(api::Router& router);
  void set(const FileSettings& settings) { parts_.settings = settings; }

 private:
  struct Upload {
    std::string person{};  // empty: the operator
    FilePromise promise{};
    WallTime begun{};
    std::uint64_t offset = 0;
    bool busy = false;      // a piece is being written
    nlohmann::json file{};  // null: not whole yet
    std::string locked{};   // of a hidden one: all this, as it may lie on the disk
    bool asleep = false;    // hidden, and not read yet
  };
  struct Step;

  Result<api::ApiResponse> begin(const api::ApiRequest& request);
  Result<api::ApiResponse> look(const api::ApiRequest& request);
  Result<api::ApiResponse> append(const api::ApiRequest& request);
  Result<api::ApiResponse> drop(const api::ApiRequest& request);
  Result<api::ApiResponse> read(const api::ApiRequest& request);

  /// `not_found`: there is none, or it is somebody else's.
  Result<Upload*> find(const api::ApiRequest& request);
  api::ApiResponse settle(const Step& step);
  api::ApiResponse state_of(const std::string& id, const Upload& upload, int status = 200) const;
  Status make_room(const std::string& person);
  std::string mint_token();
  void load();
  /// What could not be read when it was loaded, if it can be now.
  void wake();
  /// An upload as it was kept, with what has come of it. Nothing: there is nothing to go on with.
  std::optional<Upload> revive(const std::string& id, const nlohmann::json& kept);
  /// Of a hidden one, which lies locked from now on.
  void lock_away(const std::string& id, Upload& upload);
  /// Nothing: not written by save().
  static std::optional<Upload> upload_of(const nlohmann::json& kept);
  static nlohmann::json kept_json(const Upload& upload);
  Status save();

  Parts parts_;
  std::map<std::string, Upload> uploads_;
};

}  // namespace duhui::agent
