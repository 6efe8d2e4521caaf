// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/index/index.h"

#include "bastion/stored/index/find_sql.h"
#include "shared/base/overloaded.h"
#include "shared/sqlite/statement.h"

#include <algorithm>

namespace sallyport::stored {

namespace {

// Prepared once for many rows.
class Changer {
public:
  explicit Changer(sqlite3* database)
      : database_(database),
        put_(database, std::string("INSERT OR REPLACE INTO recordings (") + kIndexColumns +
                           ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
        end_(database,
             "UPDATE recordings SET state=?, end_ms=?, bytes=?, frames=?, reason=?, chain_head=? "
             "WHERE recording=?"),
        erase_(database,
               "UPDATE recordings SET state=?, bytes=?, person='', agent='', issuer='', "
               "subject='', login='', address='', fingerprint='' WHERE recording=?"),
        hold_(database, "UPDATE recordings SET hold=? WHERE recording=?") {}

  // False: there is no such row.
  Result<bool> apply(const auto& change) {
    if (const Status done = bind(change).run(); !done) {
      return done.error();
    }
    return sqlite3_changes(database_) > 0;
  }

private:
  Statement& bind(const RecordingEntry& row) {
    return put_.again()
        .bind_text(row.recording)
        .bind_number(static_cast<int64_t>(row.state))
        .bind_text(row.person)
        .bind_text(row.agent)
        .bind_text(row.issuer)
        .bind_text(row.subject)
        .bind_text(row.target)
        .bind_text(row.login)
        .bind_text(row.address)
        .bind_text(row.fingerprint)
        .bind_text(row.roles)
        .bind_text(row.kind)
        .bind_number(static_cast<int64_t>(row.start_ms))
        .bind_number(static_cast<int64_t>(row.end_ms))
        .bind_number(static_cast<int64_t>(row.bytes))
        .bind_number(static_cast<int64_t>(row.frames))
        .bind_text(row.reason)
        .bind_blob(row.chain_head)
        .bind_number(row.hold ? 1 : 0);
  }
  Statement& bind(const IndexEnd& end) {
    return end_.again()
        .bind_number(static_cast<int64_t>(end.state))
        .bind_number(static_cast<int64_t>(end.end_ms))
        .bind_number(static_cast<int64_t>(end.bytes))
        .bind_number(static_cast<int64_t>(end.frames))
        .bind_text(end.reason)
        .bind_blob(end.chain_head)
        .bind_text(end.recording);
  }
  Statement& bind(const IndexErasure& erasure) {
    return erase_.again()
        .bind_number(static_cast<int64_t>(RecordingState::erased))
        .bind_number(static_cast<int64_t>(erasure.bytes))
        .bind_text(erasure.recording);
  }
  Statement& bind(const IndexHold& hold) {
    return hold_.again().bind_number(hold.hold ? 1 : 0).bind_text(hold.recording);
  }

  sqlite3* database_;
  Statement put_;
  Statement end_;
  Statement erase_;
  Statement hold_;
};

Result<size_t> apply_all(Changer& changer, std::span<const IndexChange> changes) {
  size_t without_row = 0;
  for (const IndexChange& change : changes) {
    const auto applied = std::visit([&](const auto& one) { return changer.apply(one); }, change);
    if (!applied) {
      return applied.error();
    }
    without_row += *applied ? 0 : 1;
  }
  return without_row;
}

// All but that of the identifier, by which a later row replaces an earlier one. Making them when
// the rows are there sorts once, where a row at a time would look for its place in each.
Result<std::string> take_indexes_away(sqlite3* database) {
  std::string drop;
  std::string create;
  Statement statement(database,
                      "SELECT name, sql FROM sqlite_schema "
                      "WHERE type = 'index' AND name <> 'by_recording' AND sql IS NOT NULL");
  for (;;) {
    const auto row = statement.step();
    if (!row) {
      return row.error();
    }
    if (!*row) {
      break;
    }
    drop.append("DROP INDEX ").append(statement.text(0)).append(";");
    create.append(statement.text(1)).append(";");
  }
  const Status dropped = execute(database, drop);
  return dropped ? Result<std::string>(create) : dropped.error();
}

Status put_rows(sqlite3* database, Changer& changer, std::span<const RecordingEntry> rows) {
  const auto indexes = take_indexes_away(database);
  if (!indexes) {
    return indexes.error();
  }
  for (const RecordingEntry& row : rows) {
    if (const auto put = changer.apply(row); !put) {
      return put.error();
    }
  }
  return execute(database, *indexes);
}

// What was erased stands in the log of writes (-wal), too, until that is begun anew. A reader may
// hold it: then it goes with the next one.
void forget_erased(sqlite3* database, std::span<const IndexChange> changes) {
  if (std::any_of(changes.begin(), changes.end(), [](const IndexChange& change) {
        return std::holds_alternative<IndexErasure>(change);
      })) {
    static_cast<void>(execute(database, "PRAGMA wal_checkpoint(TRUNCATE)"));
  }
}

RecordingEntry read_row(const Statement& row) {
  int column = 0;
  const auto text = [&] { return std::string(row.text(column++)); };
  const auto number = [&] { return static_cast<uint64_t>(row.number(column++)); };
  RecordingEntry entry;
  entry.recording = text();
  entry.state = static_cast<RecordingState>(number());
  entry.person = text();
  entry.agent = text();
  entry.issuer = text();
  entry.subject = text();
  entry.target = text();
  entry.login = text();
  entry.address = text();
  entry.fingerprint = text();
  entry.roles = text();
  entry.kind = text();
  entry.start_ms = number();
  entry.end_ms = number();
  entry.bytes = number();
  entry.frames = number();
  entry.reason = text();
  entry.chain_head = std::string(row.blob(column++));
  entry.hold = number() == 1;
  return entry;
}

}  // namespace

Result<Index> Index::open(const std::string& path) {
  auto file = open_index_file(path);
  return file ? Result<Index>(Index(std::move(*file))) : file.error();
}

Result<size_t> Index::write(std::span<const IndexChange> changes) {
  auto transaction = Transaction::begin(database());
  if (!transaction) {
    return transaction.error();
  }
  Changer changer(database());
  const auto without_row = apply_all(changer, changes);
  if (!without_row) {
    return without_row;
  }
  if (const Status committed = transaction->commit(); !committed) {
    return committed.error();
  }
  forget_erased(database(), changes);
  return without_row;
}

Status Index::replace_all(std::span<const RecordingEntry> rows,
                          std::span<const IndexChange> changes) {
  auto transaction = Transaction::begin(database());
  if (!transaction) {
    return transaction.error();
  }
  if (const Status emptied = execute(database(), "DELETE FROM recordings"); !emptied) {
    return emptied;
  }
  Changer changer(database());
  if (const Status put = put_rows(database(), changer, rows); !put) {
    return put;
  }
  if (const auto changed = apply_all(changer, changes); !changed) {
    return changed.error();
  }
  if (const Status committed = transaction->commit(); !committed) {
    return committed;
  }
  forget_erased(database(), changes);
  return ok();
}

Result<std::vector<RecordingEntry>> Index::find(const RecordingsFind& wanted) const {
  const FindSql question = find_sql(wanted);
  Statement statement(database(), question.sql);
  for (const auto& value : question.values) {
    std::visit(Overloaded{[&](int64_t number) { statement.bind_number(number); },
                          [&](const std::string& text) { statement.bind_text(text); }},
               value);
  }
  std::vector<RecordingEntry> found;
  for (;;) {
    const auto row = statement.step();
    if (!row) {
      return row.error();
    }
    if (!*row) {
      return found;
    }
    found.push_back(read_row(statement));
    if (found.back().state > RecordingState::last_) {
      return Error{Errc::corrupt, "the index: a recording in no state that there is"};
    }
  }
}

}  // namespace sallyport::stored
